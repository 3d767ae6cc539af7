// The search button is called what is written on it, shortcut included, as a voice command has it.
for (const button of document.querySelectorAll(".search-button-field")) button.removeAttribute("aria-label");

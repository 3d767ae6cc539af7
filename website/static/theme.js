// A button is called what is written on it: the theme's own labels hide a shortcut or a cell's title.
for (const button of document.querySelectorAll(".search-button-field, details.hide > summary"))
  button.removeAttribute("aria-label");

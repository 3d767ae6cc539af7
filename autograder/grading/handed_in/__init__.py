"""Takes in what an LMS gives: a zip becomes a lesson.ipynb for each student, in nbgrader's layout.

`archive` reads the zip and the zips in it, safely; `formats` says how each LMS names its entries
and tells them apart; `students` makes a student's key out of name and number; `mapping` decides
what counts for whom, before anything is written; `arrivals` keeps what the LMS said, in a file of
ours; `roster` joins a class list; `shown` draws the table.

Identity: a person is the LMS's number where there is one. The key (folder, gradebook, records) is
made when the number is first seen, from the name of that day and the number, `doe_jane-12345`, and
stays that person's from then on, however the name is spelled later. Where an LMS gives logins, the
login is the key. Where it gives neither, the name is all there is: two who claim one name are both
refused.

Moodle numbers people anew in each assignment, and so does Canvas those whom it keeps anonymous.
With a class list, an e-mail address tells Moodle's people again; without one they have another key
in each lesson, which is said.
"""

from autograder.grading.handed_in.archive import NoZip, printable
from autograder.grading.handed_in.arrivals import Arrival, arrivals_of, name_students
from autograder.grading.handed_in.formats import FORMATS
from autograder.grading.handed_in.mapping import Mapping, Row, mapping_of, take_in
from autograder.grading.handed_in.roster import Roster, RosterEntry, read_roster

__all__ = [
    "FORMATS",
    "Arrival",
    "Mapping",
    "NoZip",
    "Roster",
    "RosterEntry",
    "Row",
    "arrivals_of",
    "mapping_of",
    "name_students",
    "printable",
    "read_roster",
    "take_in",
]

"""The way between a check and the student's object, which lives in another process.

Imports go one way in here: each module may import those before it.

hidden      what a student's process does not see: the checks and the figures
protocol    the messages: data only, with limits; `Ref` and `Failure`
handles     the student's side: live objects by number, and what one may ask of them
server      the student's process: a notebook's cells and the verbs of `handles`, over a socket
proxy       the judge's side: `Standin`, what a check holds in place of the object
callbacks   a student's function that asks a model of the judge's while it runs
client      the judge's channel to a `server`: nonces, deadlines, and who is gone
"""

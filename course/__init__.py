"""What the course's notebooks import: data, training, dependency maps, and the device to run on.

Nothing is imported here, so that `import course` costs nothing; import the module you need:
`from course import data, training`, `from course.causality import dependency_map`,
`from course.device import device`.
"""

# The image of the container sandbox, where neither namespaces nor Landlock are to be had:
#   docker build -t autoregressive-course .     (or podman build)
# It holds what a student's process may read: no solutions, no checks, no figures (they compute what
# exercises ask for), no gradebook, nothing of a class.
FROM python:3.11-slim
COPY pyproject.toml constraints.txt README.md /course/
COPY course /course/course
COPY autograder /course/autograder
RUN rm -rf /course/autograder/checks
RUN pip install --no-cache-dir -c /course/constraints.txt /course
USER nobody

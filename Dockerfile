# The image of the container sandbox, where neither namespaces nor Landlock are to be had:
#   docker build -t autoregressive-course .     (or podman build)
# It holds the student half alone: no solutions, no gradebook, nothing of a class.
FROM python:3.11-slim
COPY pyproject.toml constraints.txt README.md /course/
COPY course /course/course
COPY figures /course/figures
COPY autograder /course/autograder
RUN pip install --no-cache-dir -c /course/constraints.txt /course
USER nobody

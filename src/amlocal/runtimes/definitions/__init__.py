"""What environment definitions say (conda files, pip requirements, Dockerfiles), translated into pip requirements."""

"""The API that docker, skopeo, buildah and crane speak: /v2/, by the distribution specification."""

# The tag says which Python, the digest which build of it. The tests, which reach no registry, give a base of their own.
ARG BASE=python:3.12.14-slim-bookworm@sha256:0f5b26b9518d002b6173fd61daad821fa340635ebfec5bba471013f9ca114579

FROM ${BASE} AS dependencies
# A copied folder gives its files, so the wheels of a wheelhouse/ land beside the requirements; by the glob it may be absent.
COPY requirements.txt wheelhouse* /build/
RUN python3 -m venv /opt/confmig \
    && if ls /build/*.whl > /dev/null 2>&1; then set -- --no-index --find-links /build; fi \
    && /opt/confmig/bin/pip install --no-cache-dir --disable-pip-version-check --quiet \
        --require-hashes --no-deps --only-binary :all: "$@" -r /build/requirements.txt \
    && /opt/confmig/bin/pip uninstall --yes --quiet pip setuptools

# The package is copied, not built: a build back end would have to be fetched, and no hash in requirements.txt covers one.
# The byte code is trusted unchecked, for nobody can write it anew on a read-only file system.
FROM dependencies AS package
COPY src/confmig /build/confmig
RUN set -- /opt/confmig/lib/python3*/site-packages \
    && mkdir -p "/package$1" /package/usr/local/bin \
    && cp -r /build/confmig "/package$1" \
    && /opt/confmig/bin/python -I -m compileall -q -s /package -p / --invalidation-mode unchecked-hash "/package$1" \
    && printf '#!/opt/confmig/bin/python -I\nfrom confmig.cli import main\n\nmain()\n' > /package/usr/local/bin/confmig \
    && chmod -R a+rX /package \
    && chmod a+x /package/usr/local/bin/confmig

FROM ${BASE}
LABEL org.opencontainers.image.title="confmig" \
    org.opencontainers.image.description="Move configuration data between Dynamics 365 / Dataverse environments in ALM pipelines" \
    org.opencontainers.image.licenses="MIT"
# A layer of its own for what seldom changes: an update of the image brings little.
COPY --from=dependencies /opt/confmig /opt/confmig
COPY --from=package /package /
# No USER on purpose: GitHub's runner owns the files a container action writes its outputs to, and only root may write them.
# Everywhere else `docker run --user` works with any number: nothing outside the working directory is written.
# Isolated mode: neither a file in the working directory nor a PYTHON… variable decides which code runs.
ENTRYPOINT ["/opt/confmig/bin/python", "-I", "-m", "confmig"]
CMD ["--help"]

# syntax=docker/dockerfile:1

# One image for Docker and for the Home Assistant app: Alpine, its own Node.js, and one file of ours. It has no npm, no
# node_modules and no compiler. Its steps are scripts, so that they are tested where there is no Docker.

# The bundle is the same for all processors: it is made once, by the machine that builds.
FROM --platform=$BUILDPLATFORM node:24-alpine AS build
WORKDIR /build
COPY package.json package-lock.json ./
COPY tools/node/package.json tools/node/
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tools/bundle.mjs tools/page.mjs tools/
COPY src src
RUN node tools/bundle.mjs image/pawline.mjs

FROM alpine:3.23 AS base
# The number of the user is fixed, for those who hand over a folder of their own as /data.
RUN apk add --no-cache "nodejs=~24" \
 && addgroup -S -g 10001 pawline \
 && adduser -S -D -H -u 10001 -G pawline pawline \
 && install -d -o pawline -g pawline -m 0700 /data
COPY --from=build /build/image/ /opt/pawline/
COPY tools/image/start.mjs tools/image/healthcheck.sh /opt/pawline/

# Home Assistant has its own names for processors.
FROM base AS image-amd64
LABEL io.hass.arch="amd64"

FROM base AS image-arm64
LABEL io.hass.arch="aarch64"

FROM image-${TARGETARCH}
ARG BUILD_VERSION=0.0.0
ARG BUILD_REVISION=unknown
LABEL io.hass.type="app" \
      io.hass.version="${BUILD_VERSION}" \
      org.opencontainers.image.title="Pawline" \
      org.opencontainers.image.description="Brings live pet trackers (PetTracer) into Home Assistant" \
      org.opencontainers.image.url="https://github.com/pawline/pawline" \
      org.opencontainers.image.source="https://github.com/pawline/pawline" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${BUILD_VERSION}" \
      org.opencontainers.image.revision="${BUILD_REVISION}"
ENV NODE_ENV=production
# ./data is /data here, as it is in the app.
WORKDIR /
VOLUME /data
EXPOSE 8099
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["/bin/sh", "/opt/pawline/healthcheck.sh"]
# There is no USER, on purpose: in the Home Assistant app /data belongs to root, and there is nobody but root to hand it
# over. start.mjs does that and becomes the plain user `pawline` before anything of the program is loaded. Started as
# another user (docker run --user), it leaves everything as it is.
ENTRYPOINT ["node", "/opt/pawline/start.mjs"]
CMD ["run"]

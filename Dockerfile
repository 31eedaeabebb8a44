# syntax=docker/dockerfile:1
ARG NODE_IMAGE=node:24-bookworm-slim

# Everything that building needs, and nothing of it in the image that runs.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Not `npm ci`: it refuses a lock that lacks some other machine's optional package. This takes what is locked, too.
RUN npm install --no-save
COPY tsconfig.json nest-cli.json .swcrc ./
COPY src ./src
RUN npx nest build

# Only what runs. The image has a Node already: the one that npm brings is left out.
FROM ${NODE_IMAGE} AS modules
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm install --no-save --omit=dev && rm -rf node_modules/node-linux-* node_modules/.bin/node

FROM ${NODE_IMAGE}
# MALLOC_ARENA_MAX: else glibc keeps what each thread gave back for that thread alone.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    LOCI_DATA_DIR=/var/lib/loci \
    MALLOC_ARENA_MAX=2
WORKDIR /app
# PostgreSQL, embedded too, refuses to run as root; and nothing here needs to be.
RUN install -d -m 0700 -o node -g node /var/lib/loci
COPY --from=modules /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE NOTICE ./
COPY migrations ./migrations
USER node
# No VOLUME: some hosts refuse it (Railway). Mount /var/lib/loci where anything of Loci is embedded.
EXPOSE 8000
# 40 s: the first start makes a database where it is embedded.
HEALTHCHECK --interval=10s --timeout=3s --start-period=40s --retries=3 \
  CMD ["node", "-e", "const s=process.env.LOCI_TLS_CERT?'https':'http';process.env.NODE_TLS_REJECT_UNAUTHORIZED='0';fetch(`${s}://127.0.0.1:${process.env.PORT}/health/ready`).then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
# Signals reach the server itself: it finishes what it accepted before it ends.
STOPSIGNAL SIGTERM
CMD ["node", "dist/main.js"]

FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
# Compiled; then only what runs stays.
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production PORTCULLIS_DATA=/data
# The SDK reads the system's certificates.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/* \
  && mkdir /data && chown node:node /data
WORKDIR /app
COPY --from=build /app ./
USER node
VOLUME /data
EXPOSE 8080 8081
# Room for what lives for one answer: collected less often.
ENTRYPOINT ["node", "--max-semi-space-size=64", "/app/bin/portcullis.js"]
CMD ["up", "--roles", "api,background"]

# vulnlens in a container without anything else: one static binary, no shell, no root.
#
#     docker build -t vulnlens .
#     docker run --rm -p 127.0.0.1:8080:8080 vulnlens
#     docker run --rm -i vulnlens classify - < records.jsonl
FROM rust:1.95-alpine AS build
# zstd and ring are C in part.
RUN apk add --no-cache build-base
WORKDIR /source
COPY . .
RUN cargo build --release --locked && cp target/release/vulnlens /vulnlens

FROM scratch
COPY --from=build /vulnlens /vulnlens
COPY LICENSE-MIT LICENSE-APACHE NOTICE /
USER 65534:65534
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/vulnlens", "health"]
ENTRYPOINT ["/vulnlens"]
# The port is published by whoever starts the container: to this machine alone, as above, unless said otherwise.
CMD ["serve", "--listen", "0.0.0.0:8080"]

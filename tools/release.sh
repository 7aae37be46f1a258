#!/usr/bin/env bash
# Builds the archive of one target for a release: the binary with manual pages, completions, licences and a bill of
# materials, and its checksum; tries the binary, if this machine can run it.
#
#     tools/release.sh TARGET [FOLDER]          # x86_64-unknown-linux-musl, aarch64-unknown-linux-musl, …
#
# Linux binaries are linked statically against musl, and run in an empty root. Debian's packages for them: musl-tools, and for
# aarch64 gcc-aarch64-linux-gnu and qemu-user. PROFILE=release builds faster than the default, `dist`.
set -euo pipefail
cd "$(dirname "$0")/.."

target="$1"
out="${2:-target/packages}"
profile="${PROFILE:-dist}"
version="$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)"
name="vulnlens-$version-$target"
rustup target add "$target" >/dev/null 2>&1 || true

# Empty where this machine runs the binary by itself; the old bash of macOS takes an empty list for an unset one.
runner=()
case "$target" in
x86_64-unknown-linux-musl)
    export CC_x86_64_unknown_linux_musl="${CC_x86_64_unknown_linux_musl:-musl-gcc}"
    ;;
aarch64-unknown-linux-*)
    # Rust brings musl itself for this target; the compiler of Debian makes the objects of zstd and ring.
    variable="${target//-/_}"
    export "CC_$variable=aarch64-linux-gnu-gcc" "AR_$variable=aarch64-linux-gnu-ar"
    upper="${variable^^}"
    export "CARGO_TARGET_${upper}_LINKER=aarch64-linux-gnu-gcc"
    # zstd's fortified calls are glibc's alone.
    [[ "$target" == *-musl ]] && export "CFLAGS_$variable=-U_FORTIFY_SOURCE"
    [[ "$(uname -m)" == aarch64 ]] || runner=(qemu-aarch64 -L /usr/aarch64-linux-gnu)
    ;;
esac

cargo build --locked --profile "$profile" --target "$target" -p vulnlens-cli
binary="${CARGO_TARGET_DIR:-target}/$target/$profile/vulnlens"
[[ "$target" == *windows* ]] && binary+=".exe"

folder="$out/$name"
rm -rf "$folder" "$folder".*
mkdir -p "$folder/man" "$folder/completions"
cp "$binary" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT NOTICE "$folder/"

# A binary that this machine can run answers, and writes what goes beside it.
can_run() { ${runner[@]+"${runner[@]}"} "$binary" --version >/dev/null 2>&1; }
if can_run; then
    run() { ${runner[@]+"${runner[@]}"} "$binary" "$@"; }
    answer="$(run classify --taxonomy cwe --format csv "SQL injection in login.php via the id parameter")"
    grep -q CWE-89 <<<"$answer" || { echo "$target: the binary does not answer: $answer" >&2; exit 1; }
    run man >"$folder/man/vulnlens.1"
    for shell in bash zsh fish powershell elvish; do
        run completions "$shell" >"$folder/completions/vulnlens.$shell"
    done
else
    echo "skipped: this machine cannot run a binary for $target"
fi

# A static binary needs nothing: it answers in an empty root, without a library, a home or a /proc.
if [[ "$target" == *-linux-musl ]]; then
    if readelf -l "$binary" | grep -q INTERP; then
        echo "$target: the binary is not static" >&2
        exit 1
    fi
    if [[ "${#runner[@]}" == 0 && "$(id -u)" == 0 ]]; then
        root="$(mktemp -d)"
        cp "$binary" "$root/vulnlens"
        chroot "$root" /vulnlens classify --taxonomy cwe --format csv "Use after free in a browser" | grep -q CWE-416
        rm -r "$root"
        echo "$target: answers in an empty root"
    fi
fi

# The bill of materials: every crate that is in the binary.
if cargo cyclonedx --version >/dev/null 2>&1; then
    cargo cyclonedx --quiet --manifest-path crates/cli/Cargo.toml --format json --target "$target" --override-filename release-sbom
    mv crates/cli/release-sbom.json "$folder/vulnlens.cdx.json"
    find crates -name release-sbom.json -delete
else
    echo "skipped: no bill of materials, as cargo-cyclonedx is not installed"
fi

# The same files make the same archive, whenever it is made.
if [[ "$target" == *windows* ]]; then
    (cd "$out" && 7z a -bd "$name.zip" "$name" >/dev/null)
    archive="$name.zip"
else
    tar --sort=name --mtime="@$(git log -1 --format=%ct)" --owner=0 --group=0 --numeric-owner -C "$out" -cf - "$name" |
        gzip -9n >"$out/$name.tar.gz"
    archive="$name.tar.gz"
fi
(cd "$out" && sha256sum "$archive" >"$archive.sha256")
rm -rf "$folder"
ls -l "$out/$archive"

//! The machine's peak: multiply-adds in registers, nothing else.
//!
//! ```sh
//! cargo run --release -p vulnlens-bench --bin peak -- [THREADS]
//! ```
//!
//! Prints one JSON object: the instruction set, and billions of operations a second (a multiply-add counts as two) of
//! 32-bit floating point and of bytes, on one thread and on all, each the best of several tries.

#![expect(unsafe_code, reason = "calls functions for instructions that were detected")]
#![expect(clippy::print_stdout, reason = "the program answers on standard output")]

use std::time::Instant;

use vulnlens_encoder::kernels::Isa;

/// Tries, of which the best counts.
const TRIES: usize = 30;
/// Rounds of a try: some milliseconds.
const ROUNDS: u64 = 2_000_000;

/// Runs `rounds` and gives the operations done.
type Kernel = fn(u64) -> u64;

fn main() {
    let threads = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let threads = threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    let isa = Isa::detected();
    let (float, byte) = kernels(isa);
    println!(
        "{{\"isa\":\"{}\",\"threads\":{threads},\"f32_gflops_1\":{:.1},\"f32_gflops\":{:.1},\"int8_gops_1\":{:.1},\"int8_gops\":{:.1}}}",
        isa.name(),
        best(float, 1),
        best(float, threads),
        best(byte, 1),
        best(byte, threads),
    );
}

/// Billions of operations a second on so many threads.
fn best(kernel: Kernel, threads: usize) -> f64 {
    let once = || {
        let start = Instant::now();
        let done: u64 = std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(move || kernel(ROUNDS))).collect();
            running.into_iter().filter_map(|thread| thread.join().ok()).sum()
        });
        done as f64 / start.elapsed().as_secs_f64() / 1e9
    };
    (0..TRIES).map(|_| once()).fold(0.0, f64::max)
}

#[cfg(not(target_arch = "x86_64"))]
fn kernels(_: Isa) -> (Kernel, Kernel) {
    (portable, portable)
}

#[cfg(target_arch = "x86_64")]
fn kernels(isa: Isa) -> (Kernel, Kernel) {
    // SAFETY, of all: the level was detected on this machine.
    match isa {
        Isa::Portable => (portable, portable),
        Isa::Avx2 => (|n| unsafe { x86::f32_avx2(n) }, |n| unsafe { x86::i8_avx2(n) }),
        Isa::Avx512 => (|n| unsafe { x86::f32_avx512(n) }, |n| unsafe { x86::i8_avx2(n) }),
        Isa::Avx512Vnni => (|n| unsafe { x86::f32_avx512(n) }, |n| unsafe { x86::i8_vnni(n) }),
    }
}

/// Sixteen chains of multiplications and additions.
fn portable(rounds: u64) -> u64 {
    let mut sums = [1.0_f32; 16];
    let factor = std::hint::black_box(0.999_f32);
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = *sum * factor + factor;
        }
    }
    std::hint::black_box(sums);
    rounds * 16 * 2
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    /// A function that runs a multiply-add on independent chains of vectors.
    macro_rules! chains {
        ($name:ident, $features:literal, $chains:literal, $zero:expr, $value:expr, $operations:literal, $step:expr) => {
            #[target_feature(enable = $features)]
            pub(super) fn $name(rounds: u64) -> u64 {
                let value = black_box($value);
                let mut sums = [$zero; $chains];
                for _ in 0..rounds {
                    for sum in &mut sums {
                        *sum = $step(*sum, value);
                    }
                }
                black_box(sums);
                rounds * $chains * $operations
            }
        };
    }

    chains!(f32_avx512, "avx512f", 16, _mm512_setzero_ps(), _mm512_set1_ps(0.5), 32, |sum, x| {
        _mm512_fmadd_ps(x, x, sum)
    });
    chains!(f32_avx2, "avx2,fma", 12, _mm256_setzero_ps(), _mm256_set1_ps(0.5), 16, |sum, x| {
        _mm256_fmadd_ps(x, x, sum)
    });
    chains!(i8_vnni, "avx512f,avx512vnni", 16, _mm512_setzero_si512(), _mm512_set1_epi8(3), 128, |sum, x| {
        _mm512_dpbusd_epi32(sum, x, x)
    });
    chains!(i8_avx2, "avx2", 10, _mm256_setzero_si256(), _mm256_set1_epi8(3), 64, |sum, x| {
        // The sum is a factor, too, or the products would be moved out of the loop.
        _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(sum, x), _mm256_set1_epi16(1)))
    });
}

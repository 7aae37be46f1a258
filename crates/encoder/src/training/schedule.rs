//! Learning rates over the steps, as transformers' `get_*_schedule_with_warmup` have them.

/// The decline of the rate after warming up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    /// Not at all.
    Constant,
    /// On a line to zero.
    Linear,
    /// On half a wave of the cosine to zero (Loshchilov & Hutter, arXiv 1608.03983).
    Cosine,
}

impl Decay {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Constant, Self::Linear, Self::Cosine];

    /// Its name in files and arguments.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Linear => "linear",
            Self::Cosine => "cosine",
        }
    }

    /// Its description in the help of an argument.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Constant => "Not at all",
            Self::Linear => "On a line to zero",
            Self::Cosine => "On half a wave to zero",
        }
    }
}

/// A learning rate that rises on a line from zero and then falls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The greatest rate.
    pub peak: f64,
    /// Steps until it is reached.
    pub warmup: u64,
    /// Steps in all.
    pub total: u64,
    /// The decline after warming up.
    pub decay: Decay,
}

impl Schedule {
    /// The rate of the update after `step` others.
    #[must_use]
    pub fn rate(&self, step: u64) -> f64 {
        if step < self.warmup {
            return self.peak * step as f64 / self.warmup as f64;
        }
        let span = self.total.saturating_sub(self.warmup).max(1) as f64;
        let done = (step - self.warmup) as f64 / span;
        let share = match self.decay {
            Decay::Constant => 1.0,
            Decay::Linear => 1.0 - done,
            Decay::Cosine if done >= 1.0 => 0.0,
            Decay::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
        };
        self.peak * share.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_rise_and_fall() {
        let linear = Schedule { peak: 2.0, warmup: 4, total: 12, decay: Decay::Linear };
        let cosine = Schedule { decay: Decay::Cosine, ..linear };
        let constant = Schedule { decay: Decay::Constant, ..linear };
        let rates = |schedule: Schedule| [0, 1, 4, 6, 8, 12, 20].map(|step| schedule.rate(step));
        assert_eq!(rates(linear), [0.0, 0.5, 2.0, 1.5, 1.0, 0.0, 0.0]);
        assert_eq!(rates(constant), [0.0, 0.5, 2.0, 2.0, 2.0, 2.0, 2.0]);
        for (rate, expected) in rates(cosine).into_iter().zip([0.0, 0.5, 2.0, 1.707_106_8, 1.0, 0.0, 0.0]) {
            assert!((rate - expected).abs() < 1e-6, "{rate} {expected}");
        }
    }

    #[test]
    fn there_may_be_no_warm_up_and_no_steps() {
        let schedule = Schedule { peak: 1.0, warmup: 0, total: 0, decay: Decay::Linear };
        assert_eq!((schedule.rate(0), schedule.rate(1)), (1.0, 0.0));
    }
}

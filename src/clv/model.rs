//! The purchase models by name: which there are and what their parameters are called.

/// A model of repeat purchases by customers who may silently stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PurchaseModel {
    /// Negative binomial: purchases at a rate that differs by customer; nobody ever stops (Ehrenberg 1959).
    Nbd,
    /// Beta-geometric/NBD: may stop after each repeat purchase (Fader, Hardie and Lee 2005).
    BgNbd,
    /// Modified beta-geometric/NBD: may stop after each purchase, the first too (Batislam, Denizel and Filiztekin 2007).
    MbgNbd,
    /// Pareto/NBD: may stop at any time (Schmittlein, Morrison and Colombo 1987).
    ParetoNbd,
    /// Beta-geometric/beta-Bernoulli: buys or not at counted opportunities, may stop before each (Fader, Hardie and Shang 2010).
    BgBb,
}

impl PurchaseModel {
    /// All models, the simplest first.
    pub const ALL: [Self; 5] = [Self::Nbd, Self::BgNbd, Self::MbgNbd, Self::ParetoNbd, Self::BgBb];

    /// The name in settings and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nbd => "nbd",
            Self::BgNbd => "bg_nbd",
            Self::MbgNbd => "mbg_nbd",
            Self::ParetoNbd => "pareto_nbd",
            Self::BgBb => "bg_bb",
        }
    }

    /// The model with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name() == name)
    }

    /// Names of the parameters in their order. `alpha` and `beta` of the NBD family are in weeks, the others have no unit.
    pub fn param_names(self) -> &'static [&'static str] {
        match self {
            Self::Nbd => &["r", "alpha"],
            Self::BgNbd | Self::MbgNbd => &["r", "alpha", "a", "b"],
            Self::ParetoNbd => &["r", "alpha", "s", "beta"],
            Self::BgBb => &["alpha", "beta", "gamma", "delta"],
        }
    }
}

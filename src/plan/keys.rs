//! What a dry run says of keys beside their number: the revenue that hangs on them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Customers of one kind of key change, and what they have bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KindRevenue {
    /// Kind: `kept`, `created`, `merged`, `split`, `retired`, `resurrected`, `moved` (also among `kept`).
    pub kind: String,
    /// Customers of this kind.
    pub customers: u64,
    /// Gross less refunds of their orders that are not canceled, of all time, by currency. `merged` and `retired`: as the last version gave
    /// them their orders; the others: as this run does. Empty where they have no orders.
    pub revenue: Vec<Money>,
}

/// An amount in a currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// ISO 4217 code.
    pub currency: String,
    /// Decimal number as text, e.g. `1234.50`: JSON numbers would lose digits.
    pub amount: String,
}

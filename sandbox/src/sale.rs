//! A sale, and the goods in it.

use crate::data::{Data, draw};

/// One sale of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sale {
    /// Different for every sale there ever is.
    pub(crate) serial: u64,
    /// When it was made or changed last.
    pub(crate) ms: i64,
    pub(crate) buyer: Buyer,
    /// It had another time before.
    pub(crate) is_moved: bool,
}

/// Who bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Buyer {
    Known(u64),
    /// The n-th sale without a customer code.
    Unknown(u64),
}

impl Sale {
    /// The customer, or 0 where one is only drawn from.
    pub(crate) fn customer(&self) -> u64 {
        match self.buyer {
            Buyer::Known(customer) => customer,
            Buyer::Unknown(_) => 0,
        }
    }
}

/// One line of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SaleLine {
    /// Number of the goods, below [`GOODS`].
    pub(crate) goods: u64,
    pub(crate) quantity: u64,
    /// Price of one, in cents.
    pub(crate) cents: u64,
    pub(crate) batch: u64,
}

/// Goods that are sold.
pub(crate) const GOODS: u64 = 500;

impl Data {
    /// A number drawn for a sale.
    pub(crate) fn draw_sale(&self, sale: &Sale) -> u64 {
        draw(self.seed, 6, sale.serial)
    }

    /// The lines of a sale: one to three, of different goods.
    pub(crate) fn lines(&self, sale: &Sale) -> Vec<SaleLine> {
        let count = 1 + draw(self.seed, 12, sale.serial) % 3;
        (0..count)
            .map(|n| {
                let h = draw(self.seed, 13 + n, sale.serial);
                SaleLine {
                    // Each line has a third of the goods to draw from.
                    goods: h % (GOODS / 3) * 3 + n,
                    quantity: 1 + (h >> 16) % 9,
                    cents: 1 + (h >> 24) % 500_000,
                    batch: (h >> 48) % 90,
                }
            })
            .collect()
    }
}

/// Code of some goods: leading zeros, Chinese, numbers that look like others without their zeros.
pub(crate) fn sku(goods: u64) -> String {
    match goods % 5 {
        0 => format!("{:05}", goods / 5),
        1 => format!("690{:010}", 1_000_000 + goods),
        2 => format!("T恤-红-{goods:03}"),
        3 => format!("A{goods:05}-XL"),
        _ => (goods / 5).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Changes;
    use std::collections::BTreeSet;

    #[test]
    fn goods_have_codes_of_their_own() {
        let codes: BTreeSet<String> = (0..GOODS).map(sku).collect();
        assert_eq!(u64::try_from(codes.len()).unwrap(), GOODS);
        let data = Data {
            seed: 7,
            trades: 300,
            refuse: 0,
            invalid: 0,
            base_ms: 1_700_000_000_000,
            spread_ms: 3_600_000,
        };
        for sale in data.sales(&Changes::default(), (0, i64::MAX), 0, 300).1 {
            let lines = data.lines(&sale);
            let goods: BTreeSet<u64> = lines.iter().map(|line| line.goods).collect();
            assert_eq!(goods.len(), lines.len());
            assert!(goods.iter().all(|one| *one < GOODS));
        }
    }
}

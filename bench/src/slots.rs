//! The same scheme over slots: from the bytes of a trade to the bytes of its document.

use std::cell::RefCell;
use std::ops::Range;

use dsl::facts::Action;
use dsl::lookup::Found;
use dsl::plan::Plan;
use dsl::slots::{Answers, Fast, Outcome, Page, RowAt, RowCx};

use crate::mapping::Mapping;
use crate::ours::{NOW_MS, plan};
use crate::trade;

/// The mapping.
pub struct Slots {
    plan: Plan,
    fast: Fast,
    answers: Answers,
    page: RefCell<Page>,
    out: Vec<u8>,
}

impl Slots {
    /// Compiles the scheme, and knows the customers.
    ///
    /// # Panics
    /// When the scheme has an error or no fast way.
    pub fn new() -> Self {
        let plan = plan();
        let target = plan.target.as_ref().expect("the scheme has a target");
        let fast = Fast::of(target, Action::Create, &plan.zone).unwrap_or_else(|why| panic!("{why}"));
        let mut answers = fast.answers();
        let wanted = &target.request.lookups()[0][0];
        let mut customers: Vec<_> = trade::customers().into_iter().collect();
        customers.sort();
        for (cid, id) in customers {
            let want = dsl::lookup::LookupWant {
                spec: wanted.clone(),
                keys: vec![cid],
                also: None,
                hidden: false,
            };
            answers.insert(&want, Found::one(id.into()));
        }
        Slots {
            plan,
            fast,
            answers,
            page: RefCell::new(Page::new()),
            out: Vec::new(),
        }
    }
}

impl Slots {
    /// Nothing but the pass over the bytes of these rows.
    ///
    /// # Panics
    /// When one is no JSON.
    pub fn scan(&mut self, records: &[String]) {
        let page = self.page.get_mut();
        for record in records {
            page.scan(&self.fast, record).expect("a trade");
        }
        page.clear();
    }
}

impl Default for Slots {
    fn default() -> Self {
        Slots::new()
    }
}

impl Mapping for Slots {
    type Row<'r> = (RowAt, &'r str);
    type Out = Range<usize>;

    fn name(&self) -> &'static str {
        "the scheme over slots"
    }

    fn parse<'r>(&self, json: &'r str) -> (RowAt, &'r str) {
        let at = self.page.borrow_mut().scan(&self.fast, json).expect("a trade");
        (at, json)
    }

    fn map(&mut self, rows: Vec<(RowAt, &str)>) -> Vec<Range<usize>> {
        let page = self.page.get_mut();
        let cx = RowCx {
            key: "[\"T1\"]",
            label: "T1",
            target_id: None,
            target_number: None,
            now_ms: NOW_MS,
        };
        // What a run has to ask for; here everything is known, as it is to the others.
        let mut wants = Vec::new();
        for (at, row) in &rows {
            self.fast.wants(page, *at, row, &cx, &self.answers, &mut wants);
        }
        assert!(wants.is_empty(), "{wants:?}");
        self.out.clear();
        let documents = rows.iter().map(|(at, row)| {
            let begin = self.out.len();
            match self.fast.write(page, *at, row, &cx, &self.answers, &mut self.out) {
                Outcome::Written { .. } => begin..self.out.len(),
                Outcome::Plain => panic!("{} has to go the plain way", self.plan.scheme),
            }
        });
        let documents = documents.collect();
        page.clear();
        documents
    }

    fn print(&self, document: &Range<usize>, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.out[document.clone()]);
    }
}

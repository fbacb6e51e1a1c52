//! A source whose rows the test writes: answers Huke's customer list, one list by each name that a scheme asks for.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::served::Served;
use super::wire::Message;

type Lists = Arc<Mutex<BTreeMap<String, Vec<Value>>>>;

/// Lists of rows behind `customer/searchCustomers`; a scheme names its list with `request: {list: NAME}`.
#[derive(Debug)]
pub struct Shop {
    served: Served,
    lists: Lists,
}

impl Shop {
    /// Listens on a free port; every list is empty.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn open() -> Self {
        let lists = Lists::default();
        let shared = Arc::clone(&lists);
        let served = Served::by(move |request| page(request, &shared));
        Shop { served, lists }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.served.addr()
    }

    /// What a list holds from now on.
    pub fn put(&self, list: &str, rows: Vec<Value>) {
        lock(&self.lists).insert(list.to_owned(), rows);
    }
}

fn lock(lists: &Lists) -> MutexGuard<'_, BTreeMap<String, Vec<Value>>> {
    lists.lock().unwrap_or_else(PoisonError::into_inner)
}

fn page(request: &Message, lists: &Lists) -> Value {
    let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let number = |name: &str, usual: usize| {
        asked[name]
            .as_str()
            .and_then(|text| text.parse().ok())
            .unwrap_or(usual)
    };
    let (page, size) = (number("page", 1), number("pageSize", 50));
    let rows = lock(lists)
        .get(asked["list"].as_str().unwrap_or_default())
        .cloned()
        .unwrap_or_default();
    let shown: Vec<&Value> = rows.iter().skip((page - 1) * size).take(size).collect();
    let data = json!({"list": shown, "total": rows.len(), "page": page, "pageSize": size});
    json!({"code": 200, "msg": "success", "data": data})
}

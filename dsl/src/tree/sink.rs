//! Where evaluation writes to.

use crate::value::{Map, Value};

/// A place in what was written, to go back to when something turns out to be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(pub usize, pub usize);

/// Takes ordered values. The caller keeps the order: `key` before each member, every `begin` ended.
pub trait Sink {
    /// A map begins.
    fn begin_map(&mut self);
    /// The name of the next member.
    fn key(&mut self, name: &str);
    /// The innermost map ends.
    fn end_map(&mut self);
    /// A list begins.
    fn begin_list(&mut self);
    /// The innermost list ends.
    fn end_list(&mut self);
    /// A value that is no map and no list.
    fn scalar(&mut self, value: &Value);
    /// This place.
    fn mark(&self) -> Mark;
    /// Forgets everything written since `mark`, a pending key included.
    fn rollback(&mut self, mark: Mark);
}

/// Writes a whole value.
pub fn write_value(sink: &mut dyn Sink, value: &Value) {
    match value {
        Value::Map(map) => {
            sink.begin_map();
            for (name, value) in map {
                sink.key(name);
                write_value(sink, value);
            }
            sink.end_map();
        }
        Value::List(list) => {
            sink.begin_list();
            for value in list {
                write_value(sink, value);
            }
            sink.end_list();
        }
        scalar => sink.scalar(scalar),
    }
}

/// Builds a [`Value`].
#[derive(Debug, Default)]
pub struct ValueSink {
    open: Vec<Open>,
    done: Option<Value>,
}

#[derive(Debug)]
enum Open {
    Map { map: Map, key: Option<String> },
    List(Vec<Value>),
}

impl ValueSink {
    /// Nothing is written yet.
    pub fn new() -> ValueSink {
        ValueSink::default()
    }

    /// What was written; `None` when that is nothing.
    pub fn finish(self) -> Option<Value> {
        self.done
    }

    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            None => self.done = Some(value),
            Some(Open::List(list)) => list.push(value),
            Some(Open::Map { map, key }) => {
                if let Some(key) = key.take() {
                    map.insert(key, value);
                }
            }
        }
    }
}

impl Sink for ValueSink {
    fn begin_map(&mut self) {
        self.open.push(Open::Map {
            map: Map::new(),
            key: None,
        });
    }

    fn key(&mut self, name: &str) {
        if let Some(Open::Map { key, .. }) = self.open.last_mut() {
            *key = Some(name.to_owned());
        }
    }

    fn end_map(&mut self) {
        if let Some(Open::Map { map, .. }) = self.open.pop() {
            self.put(Value::Map(map));
        }
    }

    fn begin_list(&mut self) {
        self.open.push(Open::List(Vec::new()));
    }

    fn end_list(&mut self) {
        if let Some(Open::List(list)) = self.open.pop() {
            self.put(Value::List(list));
        }
    }

    fn scalar(&mut self, value: &Value) {
        self.put(value.clone());
    }

    fn mark(&self) -> Mark {
        let members = match self.open.last() {
            None => usize::from(self.done.is_some()),
            Some(Open::List(list)) => list.len(),
            Some(Open::Map { map, .. }) => map.len(),
        };
        Mark(self.open.len(), members)
    }

    fn rollback(&mut self, mark: Mark) {
        self.open.truncate(mark.0);
        match self.open.last_mut() {
            None if mark.1 == 0 => self.done = None,
            None => {}
            Some(Open::List(list)) => list.truncate(mark.1),
            Some(Open::Map { map, key }) => {
                map.truncate(mark.1);
                *key = None;
            }
        }
    }
}

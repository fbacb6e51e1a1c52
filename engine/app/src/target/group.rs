//! Rows of which several become one document: read, folded, and handed to the ledger to be frozen.

use std::collections::BTreeMap;

use dsl::aggregate::Folded;
use dsl::catalogue::target;
use dsl::value::Value;
use flow::Grouped;
use flow::ids::RecordId;
use flow::op::{Loose, NewPart, Reason, Refusal};
use ledger::Reader;
use sha2::{Digest, Sha256};

use super::TargetWriter;
use crate::error::AppError;
use crate::payloads::BlobStore;
use crate::reason;

/// Rows in memory at a time: of the others only the fields that count are kept.
const CHUNK: usize = 500;

impl TargetWriter {
    /// What the rows come to. A row that means "cancelled" is in no document.
    pub(crate) fn group(
        &self,
        reader: &Reader,
        loose: &[Loose],
        blobs: &mut BlobStore,
    ) -> Result<Grouped, AppError> {
        let plan = self.target()?;
        let aggregate = plan
            .aggregate
            .as_ref()
            .ok_or_else(|| AppError::bug("rows are gathered for a scheme that does not say how"))?;
        let mut folding = aggregate.fold(self.instant, &self.plan.zone);
        let mut refused: BTreeMap<usize, Refusal> = BTreeMap::new();
        for (chunk, first) in loose.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
            let ids: Vec<RecordId> = chunk.iter().map(|row| row.record).collect();
            let sources: BTreeMap<RecordId, Vec<u8>> = reader
                .sources(&ids)?
                .into_iter()
                .filter(|source| source.version == version_of(chunk, source.record))
                .map(|source| (source.record, source.source))
                .collect();
            for (row, nth) in chunk.iter().zip(first..) {
                if row.void {
                    let reason = Reason::new(target::VOID_UNWRITTEN.code, "");
                    refused.insert(nth, Refusal::Skipped(reason));
                    continue;
                }
                // One that changed since is picked again.
                let Some(source) = sources.get(&row.record) else {
                    continue;
                };
                let value =
                    dsl::json::parse(source).map_err(|_| AppError::bug("a stored row is not JSON"))?;
                if let Err(failure) = folding.add(nth, &value) {
                    refused.insert(nth, self.dead(&failure));
                }
            }
        }
        // Where that cannot be read the ledger refuses the part: it is not the next one.
        let last = |group: &str| reader.last_part(&self.plan.scheme, group).unwrap_or_default();
        let Folded { parts, failed } = folding.finish(&last);
        for (nth, failure) in failed {
            refused.insert(nth, self.dead(&failure));
        }
        let mut grouped = Grouped::default();
        for part in parts {
            let row = dsl::json::to_string(&part.row).into_bytes();
            let hash = Sha256::digest(&row);
            let members = part.members.iter().filter_map(|nth| loose.get(*nth));
            let key = [
                Value::from("$part"),
                Value::from(part.group.as_str()),
                Value::from(part.part.to_string()),
            ];
            grouped.parts.push(NewPart {
                key: dsl::json::to_string(&Value::List(key.into())),
                version: hash[..8].iter().map(|byte| format!("{byte:02x}")).collect(),
                group: part.group,
                part: part.part,
                number: part.number,
                source: blobs.add(row),
                members: members.map(|row| (row.record, row.version.clone())).collect(),
            });
        }
        grouped.refused = refused
            .into_iter()
            .filter_map(|(nth, refusal)| {
                let row = loose.get(nth)?;
                Some((row.record, row.version.clone(), refusal))
            })
            .collect();
        Ok(grouped)
    }

    fn dead(&self, failure: &dsl::Failure) -> Refusal {
        let reason = reason::of_failure(failure, self.lang);
        Refusal::Dead(Reason::new(reason.code, self.caller.redact(&reason.text)))
    }
}

fn version_of(rows: &[Loose], record: RecordId) -> &str {
    let row = rows.iter().find(|row| row.record == record);
    row.map_or("", |row| &row.version)
}

//! The digests and the one cipher of all vendors, each under the name its vendor fact uses.
//!
//! Recomputed here from the published facts and their test vectors. No client code is shared, so a
//! wrong recipe on either side is a refused request and not two equal mistakes.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::form::Pairs;

/// Text Kingdee's client libraries XOR the second half of an app id with.
const KINGDEE_XOR: &[u8] = b"0054f397c6234378b09ca7d3e5debce7";
/// Length of the part after the underscore of a Kingdee app id.
const KINGDEE_PART: usize = 32;
const AES_BLOCK: usize = 16;

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        out.push(char::from(DIGITS[usize::from(b >> 4)]));
        out.push(char::from(DIGITS[usize::from(b & 15)]));
    }
    out
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn unbase64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Every byte outside `A-Z a-z 0-9 - . _ ~` as `%XX`; `/` too, as `%2F`.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push('%');
            out.push_str(&hex(&[b]).to_ascii_uppercase());
        }
    }
    out
}

/// Lower-case hex of HMAC-SHA256.
pub(crate) fn hmac_hex(key: &[u8], message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    hex(&mac.finalize().into_bytes())
}

/// The text a Kingdee signature is: base64 of the lower-case hex of HMAC-SHA256.
pub(crate) fn kingdee_hmac(key: &str, text: &str) -> String {
    base64(hmac_hex(key.as_bytes(), text.as_bytes()).as_bytes())
}

/// The client secret hidden in `clientId_part32`; `None` when the app id has another shape.
pub(crate) fn kingdee_client_secret(app_id: &str) -> Option<String> {
    let (_, part) = app_id.split_once('_')?;
    if part.len() != KINGDEE_PART {
        return None;
    }
    let bytes = unbase64(part)?;
    let plain: Vec<u8> = bytes.iter().zip(KINGDEE_XOR).map(|(b, x)| b ^ x).collect();
    Some(base64(&plain))
}

/// `LoginBySign`: hex SHA-256 of the five values in ordinal order, nothing between them.
pub(crate) fn kingdee_login_sign(mut five: [&str; 5]) -> String {
    five.sort_unstable();
    sha256_hex(five.concat().as_bytes())
}

/// `ur-sign`: hex MD5 of the body, empty text for an empty body.
pub(crate) fn huke_sign(body: &[u8]) -> String {
    if body.is_empty() {
        String::new()
    } else {
        hex(&Md5::digest(body))
    }
}

/// `ur-checksum` in lower case: AES-128-ECB with PKCS#7 over `appkey + ur-sign + ur-curtime`, under
/// the first 16 bytes of SHA1(SHA1(secret)).
pub(crate) fn huke_checksum(secret: &str, appkey: &str, sign: &str, curtime: &str) -> String {
    let digest = Sha1::digest(Sha1::digest(secret.as_bytes()));
    let cipher = Aes128::new_from_slice(&digest[..AES_BLOCK]).expect("16 bytes are an AES-128 key");
    let mut plain = [appkey, sign, curtime].concat().into_bytes();
    let pad = AES_BLOCK - plain.len() % AES_BLOCK;
    plain.resize(plain.len() + pad, u8::try_from(pad).expect("a pad is at most 16"));
    for chunk in plain.chunks_exact_mut(AES_BLOCK) {
        let mut block = Array::try_from(&*chunk).expect("chunks are one block long");
        cipher.encrypt_block(&mut block);
        chunk.copy_from_slice(&block);
    }
    hex(&plain)
}

fn md5_hex(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

/// Pairs in ordinal order of their names, without the signature itself.
fn sorted<'a>(pairs: &'a Pairs, sign: &str) -> Vec<(&'a str, &'a str)> {
    let mut sorted: Vec<_> = pairs.iter().filter(|(name, _)| *name != sign).collect();
    sorted.sort_unstable();
    sorted
}

/// Jushuitan: hex MD5 of the secret and all names and values that are not empty; the secret only in front.
pub(crate) fn jst_sign(secret: &str, pairs: &Pairs) -> String {
    let mut text = secret.to_owned();
    for (name, value) in sorted(pairs, "sign") {
        if !value.is_empty() {
            text.extend([name, value]);
        }
    }
    md5_hex(&text)
}

/// Wangdiantong Enterprise: hex MD5 of `LL-name:VVVV-value` joined by `;`, and the secret. The lengths count
/// characters and not bytes.
pub(crate) fn wdt_sign(secret: &str, pairs: &Pairs) -> String {
    let of = |(name, value): (&str, &str)| {
        let (names, values) = (name.chars().count(), value.chars().count());
        format!("{names:02}-{name}:{values:04}-{value}")
    };
    let parts: Vec<String> = sorted(pairs, "sign").into_iter().map(of).collect();
    md5_hex(&(parts.join(";") + secret))
}

/// Wangdiantong Ultimate: hex MD5 of all names and values with the secret in front and behind; the text of the body
/// counts as a parameter `body`.
pub(crate) fn wdtu_sign(secret: &str, query: &Pairs, body: &str) -> String {
    let mut all = sorted(query, "sign");
    all.push(("body", body));
    all.sort_unstable();
    let mut text = secret.to_owned();
    for (name, value) in all {
        text.extend([name, value]);
    }
    text.push_str(secret);
    md5_hex(&text)
}

/// Taobao's gateway: capital hex MD5 of all names and values that are not empty, the secret in front and behind.
pub(crate) fn top_sign(secret: &str, all: &Pairs) -> String {
    let mut text = secret.to_owned();
    for (name, value) in sorted(all, "sign") {
        if !value.is_empty() {
            text.extend([name, value]);
        }
    }
    text.push_str(secret);
    md5_hex(&text).to_ascii_uppercase()
}

/// What of a call through the gateway the inner signature counts: the caller's own parameters and the method.
const INNER: [&str; 6] = ["datetime", "method", "pager", "params", "wdt_appkey", "wdt_salt"];
/// Names that the inner signature leaves out, at every depth.
const NOT_INNER: [&str; 3] = ["wdt3_customer_id", "wdt_sign", "target_app_key"];

/// The signature that a call through the gateway carries for Wangdiantong: trees are flattened in order of their names,
/// texts of JSON are read.
pub(crate) fn qimen_wdt_sign(secret: &str, all: &Pairs) -> String {
    let mut text = secret.to_owned();
    for (name, value) in sorted(all, "sign") {
        if INNER.contains(&name) {
            text.push_str(name);
            flatten(&mut text, value, FLAT_DEPTH);
        }
    }
    text.push_str(secret);
    md5_hex(&text)
}

/// Deeper trees count as text; no call of the vendor is deeper than three.
const FLAT_DEPTH: u8 = 16;

fn flatten(out: &mut String, text: &str, depth: u8) {
    use serde_json::value::RawValue;
    use std::collections::BTreeMap;
    let part = |out: &mut String, raw: &RawValue| match serde_json::from_str::<String>(raw.get()) {
        Ok(inner) => flatten(out, &inner, depth.saturating_sub(1)),
        Err(_) => flatten(out, raw.get(), depth.saturating_sub(1)),
    };
    if depth > 0 && text.trim_start().starts_with('{') {
        if let Ok(map) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(text) {
            for (name, raw) in map {
                if raw.get() != "null" && !NOT_INNER.contains(&name.as_str()) {
                    out.push_str(&name);
                    part(out, &raw);
                }
            }
            return;
        }
    } else if depth > 0
        && text.trim_start().starts_with('[')
        && let Ok(list) = serde_json::from_str::<Vec<Box<RawValue>>>(text)
    {
        for raw in list.iter().filter(|raw| raw.get() != "null") {
            part(out, raw);
        }
        return;
    }
    out.push_str(text);
}

/// YonBIP's token call: base64 of HMAC-SHA256 over names and values in order of the names.
pub(crate) fn yonbip_sign(secret: &str, key: &str, time: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(format!("appKey{key}timestamp{time}").as_bytes());
    base64(&mac.finalize().into_bytes())
}

/// Compares two signatures without stopping at the first difference.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors() {
        let secret = kingdee_client_secret("240001_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX").unwrap();
        assert_eq!(secret, "MDE3N2I2PzBrPzg4OD45N3IhK3B1InIk");
        let path = "/K3Cloud/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.Save.common.kdsvc";
        let text = format!(
            "POST\n{}\n\nx-api-nonce:1700000000\nx-api-timestamp:1700000000\n",
            percent_encode(path)
        );
        assert_eq!(
            kingdee_hmac(&secret, &text),
            "ZjUwZDVkZTQwODdlYWRlOGRiY2ExYWY3YzhiZDM4MmJhMDE2ZjdkNmE3YWRjNTU5ZDZjMWEwMDk0M2VmZjk2Mw=="
        );
        assert_eq!(
            kingdee_hmac(
                "s3cret",
                "240001_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXacct01,demo,2052,100"
            ),
            "ZWZmYTk1YjVjOWE1YzI0NjNkZWVkZjgzOGEwOTRjMzY1MmIzYmUxM2Y5MDBlZjhhNjQ1YTIxZDE2MzczYzA0YQ=="
        );
        assert_eq!(
            kingdee_login_sign([
                "acct01",
                "demo",
                "240001_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
                "s3cret",
                "1700000000"
            ]),
            "4f7f9d365817a10936807e26b10222aa7a92f99f8e2ebe7171c17b3b7ffd84ed"
        );
        assert_eq!(
            huke_sign(br#"{"source":"2"}"#),
            "407244c67416d3bbfab12e45e4b6ddd8"
        );
        assert_eq!(huke_sign(b""), "");
        assert_eq!(
            yonbip_sign("asecret", "akey", "1700000000000"),
            "vdAFrUujLu7xXPIeHAgUrDMB42rjD4r94p/z6pSSTzU="
        );
        assert_eq!(
            huke_checksum(
                "testsecret",
                "testkey",
                "407244c67416d3bbfab12e45e4b6ddd8",
                "1700000000"
            )
            .to_ascii_uppercase(),
            "5D36C58D5730874AD5711B1F31EBD2D898441FD318A05CFEB0BB37E9D51087356B5F635384D34F8C0BC181910FF27FF0766099A5769993DBD0EC47657385AE50"
        );
    }

    fn pairs(list: &[(&str, &str)]) -> Pairs {
        let parts: Vec<String> = list
            .iter()
            .map(|(name, value)| format!("{name}={}", percent_encode(value)))
            .collect();
        Pairs::read(parts.join("&").as_bytes()).unwrap()
    }

    /// Worked out with another program, from the recipe alone.
    #[test]
    fn vectors_of_signed_forms() {
        let jst = [
            ("app_key", "ak"),
            ("access_token", "tok"),
            ("timestamp", "1700000000"),
            ("charset", "utf-8"),
            ("version", "2"),
            ("biz", r#"{"page_index":1,"page_size":50}"#),
            ("empty", ""),
            ("sign", "not counted"),
        ];
        assert_eq!(jst_sign("sec", &pairs(&jst)), "fe877762fff0558b80df6719c89830b8");
        let wdt = [
            ("sid", "demo"),
            ("appkey", "demo-ga"),
            ("timestamp", "1700000000"),
            ("page_no", "0"),
            ("page_size", "40"),
            ("start_time", "2023-11-14 00:00:00"),
            ("end_time", "2023-11-14 01:00:00"),
        ];
        assert_eq!(
            wdt_sign("secret", &pairs(&wdt)),
            "8217462dc72b2b6b46bb1e6b7ad96014"
        );
        let chinese = [
            ("sid", "demo"),
            ("appkey", "demo-ga"),
            ("timestamp", "1700000000"),
            ("name", "客户"),
        ];
        // Counted in bytes it would be 142a2e55566e673cfce9bc19801606ae.
        assert_eq!(
            wdt_sign("secret", &pairs(&chinese)),
            "30af5cfc700beffdae52015a8266cf5f"
        );
        let wdtu = [
            ("key", "ak"),
            ("sid", "demo"),
            ("salt", "salt"),
            ("method", "sales.TradeQuery.queryWithDetail"),
            ("timestamp", "374652800"),
            ("v", "1.0"),
            ("page_size", "100"),
            ("page_no", "0"),
            ("calc_total", "1"),
        ];
        let body = r#"[{"start_time":"2023-11-14 00:00:00","end_time":"2023-11-14 01:00:00"}]"#;
        assert_eq!(
            wdtu_sign("secret", &pairs(&wdtu), body),
            "479fb0cb703f04c5f7048e63d75aab14"
        );
    }

    /// The first is known from another program; the second was worked out with one, and holds what JSON can hold.
    #[test]
    fn vectors_of_calls_through_a_gateway() {
        let top = [
            ("app_key", "ak"),
            ("method", "wdt.trade.query"),
            ("timestamp", "2023-11-14 22:13:20"),
            ("v", "2.0"),
            ("sign_method", "md5"),
            ("format", "json"),
            ("session", ""),
        ];
        assert_eq!(top_sign("sec", &pairs(&top)), "0154377B1597AA0A87CE7750186663CB");
        let form = |params: &str| {
            pairs(&[
                ("app_key", "not counted"),
                ("method", "wdt.wms.stockspec.querychangehistory"),
                ("datetime", "2020-09-17 19:22:26"),
                ("wdt_salt", "salt"),
                ("wdt3_customer_id", "wdtapi3"),
                ("pager", r#"{"page_no":1,"page_size":10}"#),
                ("wdt_appkey", "wdt_appkey"),
                ("params", params),
            ])
        };
        let params = r#"{"end_date":"2020-09-20 00:00:00","spec_no":null,"start_date":"2020-08-23 00:00:00","warehouse_no":"1001"}"#;
        assert_eq!(
            qimen_wdt_sign("secret", &form(params)),
            "1f5e87bbbc8bc68f4f0af70f79620b7d"
        );
        let params = r#"{"list":[{"b":1.50,"a":"客户"},"x",null],"on":true,"text":"{\"k\":[2]}","wdt_sign":"left out","not":"{json"}"#;
        let mut text = String::new();
        flatten(&mut text, params, FLAT_DEPTH);
        assert_eq!(text, "lista客户b1.50xnot{jsonontruetextk2");
        let deep = "[".repeat(100) + &"]".repeat(100);
        let mut text = String::new();
        flatten(&mut text, &deep, FLAT_DEPTH);
        assert_eq!(text.len(), 200 - 2 * usize::from(FLAT_DEPTH));
    }

    #[test]
    fn login_values_are_sorted_by_byte_and_not_by_letter() {
        let ordinal = sha256_hex(b"1700000000AdminZsa2b1");
        assert_eq!(
            kingdee_login_sign(["b1", "Admin", "a2", "Zs", "1700000000"]),
            ordinal
        );
        assert_ne!(ordinal, sha256_hex(b"1700000000a2Adminb1Zs"));
    }

    #[test]
    fn slash_is_encoded_and_unreserved_kept() {
        assert_eq!(
            percent_encode("/k3cloud/A.b-c_d~e 客"),
            "%2Fk3cloud%2FA.b-c_d~e%20%E5%AE%A2"
        );
    }
}

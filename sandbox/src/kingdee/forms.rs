//! What the simulated Kingdee knows of its forms. Form ids are case-sensitive, as the real ones are.

/// One form.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// Field of the internal id; present and not 0 in a save means "change this one".
    pub(crate) id_field: &'static str,
    pub(crate) number_field: &'static str,
    /// Organisation a number is unique in; `None` when the form has none.
    pub(crate) org_field: Option<&'static str>,
    /// Fields a create must carry with a value: name and label.
    pub(crate) required: &'static [(&'static str, &'static str)],
    /// Fields that hold an organisation, given as `{"FNumber": ...}`.
    pub(crate) orgs: &'static [(&'static str, &'static str)],
    /// Base data has a unique number; bills here are not checked, so a repeated save makes two.
    pub(crate) unique: bool,
    /// Fields a query may ask for besides the common ones; empty means any `F...` name.
    pub(crate) fields: &'static [&'static str],
    /// Lists of lines; each line has an id of its own, `FEntryID`.
    pub(crate) entries: &'static [&'static str],
}

/// The id of a line.
pub(crate) const ENTRY_ID: &str = "FEntryID";

/// Organisations that exist.
pub(crate) const ORGS: [&str; 3] = ["100", "101", "102"];
/// Their internal ids, in the same order.
const ORG_IDS: [&str; 3] = ["1", "100016", "100017"];

/// The number of an organisation by its internal id.
pub(crate) fn org_number(id: &str) -> Option<&'static str> {
    let at = ORG_IDS.iter().position(|known| *known == id)?;
    Some(ORGS[at])
}

/// The internal id of an organisation by its number.
pub(crate) fn org_id(number: &str) -> Option<&'static str> {
    let at = ORGS.iter().position(|known| *known == number)?;
    Some(ORG_IDS[at])
}

/// Customer and material groups that exist; checked only with `IsVerifyBaseDataField`.
pub(crate) const GROUPS: [&str; 4] = ["01", "02", "DEFAULT", "VIP"];

const BASE_ORGS: &[(&str, &str)] = &[("FCreateOrgId", "创建组织"), ("FUseOrgId", "使用组织")];
const NAMED: &[(&str, &str)] = &[("FName", "名称")];

const fn bill(
    name: &'static str,
    label: &'static str,
    org: Option<&'static str>,
    entries: &'static [&'static str],
) -> Form {
    Form {
        name,
        label,
        id_field: "FID",
        number_field: "FBillNo",
        org_field: org,
        required: &[],
        orgs: &[],
        unique: false,
        fields: &[],
        entries,
    }
}

const fn base(name: &'static str, label: &'static str, id_field: &'static str) -> Form {
    Form {
        name,
        label,
        id_field,
        number_field: "FNumber",
        org_field: Some("FCreateOrgId"),
        required: NAMED,
        orgs: BASE_ORGS,
        unique: true,
        fields: &[],
        entries: &[],
    }
}

/// Every form that exists here.
pub(crate) static FORMS: [Form; 9] = [
    Form {
        required: &[("FName", "客户名称")],
        fields: &[
            "FName",
            "FShortName",
            "FDescription",
            "FGroup",
            "FCustTypeId",
            "FTaxType",
            "FTradingCurrId",
            "FSalDeptId",
            "FSeller",
            "FTel",
            "FFax",
            "FZip",
            "FAddress",
            "FInvoiceTitle",
            "FTaxRegisterCode",
            "FCountry",
            "FProvincial",
            "FWebsite",
            "FInvoiceBankName",
            "FRecConditionId",
            "FPriceListId",
            "FDiscountListId",
            "FIsDefPayer",
            "FCorrespondOrgId",
            "FApproveDate",
            "FModifierId",
            "FCreatorId",
        ],
        ..base("BD_Customer", "客户", "FCUSTID")
    },
    base("BD_MATERIAL", "物料", "FMATERIALID"),
    Form {
        org_field: None,
        orgs: &[],
        ..base("BD_CommonContact", "联系人", "FCONTACTID")
    },
    Form {
        org_field: None,
        orgs: &[],
        ..base("BD_UNIT", "计量单位", "FUNITID")
    },
    bill(
        "SAL_SaleOrder",
        "销售订单",
        Some("FSaleOrgId"),
        &["FSaleOrderEntry"],
    ),
    bill("SAL_OUTSTOCK", "销售出库单", Some("FStockOrgId"), &["FEntity"]),
    bill(
        "STK_InStock",
        "采购入库单",
        Some("FStockOrgId"),
        &["FInStockEntry"],
    ),
    bill(
        "STK_TransferDirect",
        "直接调拨单",
        Some("FStockOrgId"),
        &["FBillEntry"],
    ),
    bill(
        "AR_RECEIVEBILL",
        "收款单",
        Some("FPAYORGID"),
        &["FRECEIVEBILLENTRY"],
    ),
];

pub(crate) fn find(name: &str) -> Option<&'static Form> {
    FORMS.iter().find(|f| f.name == name)
}

impl Form {
    /// Whether a query may ask for this field; `name` is the part before the first dot.
    pub(crate) fn has_field(&self, name: &str) -> bool {
        const COMMON: [&str; 4] = ["FDocumentStatus", "FForbidStatus", "FCreateDate", "FModifyDate"];
        let is = |f: &str| f.eq_ignore_ascii_case(name);
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let any = self.fields.is_empty() && name.starts_with(['F', 'f']);
        plain
            && (is(self.id_field)
                || is(self.number_field)
                || COMMON.iter().any(|f| is(f))
                || (!self.orgs.is_empty() && is(super::allocate::MASTER))
                || self.orgs.iter().any(|(f, _)| is(f))
                || self.fields.iter().any(|f| is(f))
                || any
                || name.starts_with("F_"))
    }
}

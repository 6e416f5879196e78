using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Schemas;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Validation;

/// <summary>Holds values against types, exactly: what is required is there, and nothing that isn't declared.</summary>
internal sealed class ValueChecker(Schema schema, List<DataIssue> issues)
{
    public void CheckRecord(CedarRecord record, CedarType.Record type, string where)
    {
        foreach (var (name, attribute) in type.Attributes)
        {
            if (record.TryGet(name, out var value))
                Check(value, attribute.Type, GetAttributeExpr.Write(where, name));
            else if (attribute.IsRequired)
                issues.Add(new DataIssue(where, $"the attribute {Quoting.Quote(name)} is missing"));
        }
        foreach (var name in record.Attributes.Keys.Where(n => !type.Attributes.ContainsKey(n)).Order(StringComparer.Ordinal))
            issues.Add(new DataIssue(where, $"the schema knows no attribute {Quoting.Quote(name)} here"));
    }

    public void Check(CedarValue value, CedarType type, string where)
    {
        switch (value, type)
        {
            case (CedarRecord record, CedarType.Record expected):
                CheckRecord(record, expected, where);
                break;
            case (CedarSet set, CedarType.Set expected):
                foreach (var element in set.Elements)
                    Check(element, expected.Element, $"{where}[…]");
                break;
            case (EntityUid uid, CedarType.Entity expected) when uid.Type == expected.Name:
                CheckUid(uid, where);
                break;
            case (CedarBool, CedarType.Bool) or (CedarLong, CedarType.Long) or (CedarString, CedarType.String):
            case (CedarIpAddress or CedarDecimal or CedarDatetime or CedarDuration, CedarType.Extension) when value.TypeName == type.ToString():
                break;
            default:
                issues.Add(new DataIssue(where, $"expected {type}, found {value.TypeName}"));
                break;
        }
    }

    /// <summary>Whether an entity of that name can exist; false after an issue.</summary>
    public bool CheckUid(EntityUid uid, string where)
    {
        if (uid.IsAction && schema.FindEntityType(uid.Type) is null)
            return schema.FindAction(uid) is not null || Report(where, $"there is no action {uid}");
        if (schema.FindEntityType(uid.Type) is not { } type)
            return Report(where, $"there is no entity type {uid.Type}");
        return type.EnumIds is not { } ids || ids.Contains(uid.Id) || Report(where, $"{Quoting.Quote(uid.Id)} is not among the ids of {uid.Type}");
    }

    private bool Report(string where, string message)
    {
        issues.Add(new DataIssue(where, message));
        return false;
    }
}

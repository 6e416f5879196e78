using CredBroker.Abstractions;

namespace CredBroker.Core.Egress;

/// <summary>
/// Where the broker may connect to, from the operator's own file. A rule is an address (<c>10.1.2.3</c>), a network (<c>10.0.0.0/8</c>), a
/// host (<c>db.example.com</c>) or all hosts below a domain (<c>*.example.com</c>).
/// </summary>
public sealed record EgressPolicy
{
    /// <summary>
    /// What may be reached although it is loopback, private or reserved. A host that is allowed may resolve to such addresses. Link-local and
    /// metadata addresses stay denied.
    /// </summary>
    public IReadOnlyList<string> Allow { get; init; } = [];

    /// <summary>What may never be reached: it wins over <see cref="Allow"/>.</summary>
    public IReadOnlyList<string> Deny { get; init; } = [];

    /// <summary>Only what <see cref="Allow"/> names may be reached, public addresses too.</summary>
    public bool OnlyAllowed { get; init; }

    /// <summary>Every error, with the setting's name.</summary>
    public IEnumerable<ValidationError> Validate() => Check("allow", Allow).Concat(Check("deny", Deny));

    private static IEnumerable<ValidationError> Check(string path, IReadOnlyList<string> rules) =>
        rules.Select((rule, i) => (rule, i))
            .Where(entry => EgressRule.Parse(entry.rule) is null)
            .Select(entry => new ValidationError(
                $"{path}[{entry.i}]", "A rule is an address, a network such as 10.0.0.0/8 (without host bits), a host name, or *.domain."));
}

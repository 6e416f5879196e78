using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core.Providers;
using CredBroker.Core.Registry;

namespace CredBroker.Core.Issuance;

/// <summary>
/// The role that a caller names, whether or not there is one: policy is asked about both in the same way and by the same work, so that neither the
/// answer nor its cost tells which it is.
/// </summary>
internal sealed record WantedRole
{
    private WantedRole()
    {
    }

    public required Registered<ProviderSpec> Provider { get; init; }

    public required Registered<RoleSpec> Role { get; init; }

    /// <summary>The provider's type; null when there is no such role.</summary>
    public IProviderType? Type { get; private init; }

    /// <summary>The role's kind; null when there is no such role.</summary>
    public RoleKind? Kind { get; private init; }

    /// <summary>The role that is registered under these names, or the shape of one.</summary>
    public static WantedRole Find(RegistrySnapshot snapshot, ProviderTypes types, string provider, string role)
    {
        if (snapshot.TryFindRole(provider, role, out var foundProvider, out var foundRole) && types.Find(foundProvider.Spec.Type) is { } type
            && ProviderTypes.FindKind(type, foundRole.Spec.Kind) is { } kind)
        {
            return new WantedRole { Provider = foundProvider, Role = foundRole, Type = type, Kind = kind };
        }

        return new WantedRole
        {
            Provider = new Registered<ProviderSpec>(Absent(ResourceKind.Provider, provider), new ProviderSpec { Type = "" }),
            Role = new Registered<RoleSpec>(Absent(ResourceKind.Role, role), new RoleSpec { Kind = "" }),
        };
    }

    /// <summary>The role with what the caller chose.</summary>
    public FittedRole Fit(IReadOnlyDictionary<string, string> given)
    {
        var (parameters, wrong) = Parameters.Canonicalise(Role.Spec.Parameters, given);
        if (Kind is null) return new FittedRole { Parameters = parameters, Template = Role.Spec.Template };
        var template = Parameters.Fill(Role.Spec.Template, parameters);
        var unfit = new FittedRole { Parameters = parameters, Template = template, Destination = Role.Spec.Destination };
        if (wrong.Count > 0) return unfit with { Wrong = wrong, Complaint = "The parameters do not fit the role." };
        if (Kind.Validate(template) is { Count: > 0 } invalid) return unfit with { Wrong = invalid, Complaint = "With these parameters the role's template is not valid." };
        return unfit with
        {
            Destination = unfit.Destination.Length > 0 ? unfit.Destination : Kind.DestinationOf(template),
            Revocability = Kind.RevocabilityOf(template),
            CanMint = Kind.CanMint(template),
        };
    }

    private static RegistryEntry Absent(ResourceKind kind, string name) => new()
    {
        Uid = default,
        Kind = kind,
        Name = name,
        Version = 0,
        SpecJson = "{}",
        ManagedBy = ManagedBy.Api,
        CreatedAt = default,
        UpdatedAt = default,
    };
}

/// <summary>A role with what a caller chose, and what follows from that.</summary>
internal sealed record FittedRole
{
    /// <summary>The parameters that fit, in canonical form.</summary>
    public required SortedDictionary<string, string> Parameters { get; init; }

    /// <summary>The template with them.</summary>
    public required JsonElement Template { get; init; }

    /// <summary>What does not fit: then what follows from the template is not known.</summary>
    public IReadOnlyList<ValidationError> Wrong { get; init; } = [];

    /// <summary>What to say of what does not fit.</summary>
    public string Complaint { get; init; } = "";

    /// <summary>Where the credential can be used.</summary>
    public string Destination { get; init; } = "";

    /// <summary>What revoking it means.</summary>
    public Revocability Revocability { get; init; } = new(RevocabilityKind.ExpiresOnly, TimeSpan.Zero, "");

    /// <summary>Whether it can make other credentials.</summary>
    public bool CanMint { get; init; }
}

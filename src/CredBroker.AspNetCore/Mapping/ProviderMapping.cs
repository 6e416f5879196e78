using CredBroker.Abstractions;
using CredBroker.Contracts.V1;
using CredBroker.Core.Registry;
using DomainTypes = CredBroker.Core.Providers.ProviderTypes;
using ProviderType = CredBroker.Contracts.V1.ProviderType;
using RoleKind = CredBroker.Contracts.V1.RoleKind;
using RoleParameter = CredBroker.Contracts.V1.RoleParameter;
using SpecParameter = CredBroker.Core.Registry.RoleParameter;

namespace CredBroker.AspNetCore.Mapping;

/// <summary>Providers, their types and their roles between the contract and the domain.</summary>
internal static class ProviderMapping
{
    public static ResourceMapping<ProviderSpec, Provider> Providers { get; } = new(ResourceTypes.Provider, "provider", ToProto, ToSpec);

    public static ResourceMapping<RoleSpec, Role> RolesOf(Catalog catalog, DomainTypes types) =>
        new(ResourceTypes.Role, "role", role => ToProto(role, KindOf(role, catalog, types)), ToSpec);

    public static ProviderType ToProto(this IProviderType type) => new()
    {
        Name = $"providerTypes/{type.Name}",
        Description = type.Description,
        ConfigSchema = type.ConfigurationSchema.ToJsonString(),
        RoleKinds = { type.RoleKinds.Select(kind => ToProto(kind, type)) },
    };

    public static CheckProviderResponse ToProto(this ProviderHealth health) => new()
    {
        Healthy = health.Healthy,
        TargetIdentity = health.TargetIdentity,
        Findings =
        {
            health.Findings.Select(finding => new CheckFinding { Severity = (CheckFinding.Types.Severity)finding.Level, Subject = finding.Subject, Message = finding.Message, Fix = finding.Fix }),
        },
    };

    private static Provider ToProto(Registered<ProviderSpec> registered) => new()
    {
        Owner = registered.Spec.Owner,
        ReviewBy = registered.Spec.ReviewBy.ToProto(),
        Type = registered.Spec.Type,
        Environment = registered.Spec.Environment,
        Config = registered.Spec.Config.ToStruct(),
        MaxTtl = registered.Spec.MaxTtl.ToProto(),
        MaxActiveLeases = registered.Spec.MaxActiveLeases ?? 0,
        IssueRatePerMinute = registered.Spec.IssueRatePerMinute ?? 0,
        TargetIdentity = registered.Entry.TargetIdentity,
        Draining = registered.Entry.DeletedAt is not null,
        Reconciliation = registered.Spec.Reconciliation.ToProto(),
    };

    private static ProviderSpec ToSpec(Provider provider) => new()
    {
        Owner = provider.Owner,
        ReviewBy = provider.ReviewBy.ToDomain(),
        Type = provider.Type,
        Environment = provider.Environment,
        Config = provider.Config.ToJson(),
        MaxTtl = provider.MaxTtl.ToDomain(),
        MaxActiveLeases = LimitOf(provider.MaxActiveLeases),
        IssueRatePerMinute = LimitOf(provider.IssueRatePerMinute),
        Reconciliation = provider.Reconciliation.ToDomain(),
    };

    private static Role ToProto(Registered<RoleSpec> registered, Abstractions.RoleKind? kind)
    {
        var spec = registered.Spec;
        var role = new Role
        {
            Owner = spec.Owner,
            ReviewBy = spec.ReviewBy.ToProto(),
            Kind = spec.Kind,
            Template = spec.Template.ToStruct(),
            Parameters = { spec.Parameters.Select(ToProto) },
            Sensitivity = spec.Sensitivity,
            Destination = spec.Destination,
            MaxTtl = ((TimeSpan?)spec.MaxTtl).ToProto(),
            MaxActiveLeases = spec.MaxActiveLeases ?? 0,
        };
        if (kind is null) return role;
        var revocability = kind.RevocabilityOf(spec.Template);
        role.Revocability = revocability.Kind.ToProto();
        role.Residual = revocability.Residual;
        role.CanMint = kind.CanMint(spec.Template);
        return role;
    }

    private static RoleSpec ToSpec(Role role)
    {
        var spec = new RoleSpec
        {
            Owner = role.Owner,
            ReviewBy = role.ReviewBy.ToDomain(),
            Kind = role.Kind,
            Template = role.Template.ToJson(),
            Parameters = [.. role.Parameters.Select(ToSpec)],
            Sensitivity = role.Sensitivity,
            Destination = role.Destination,
            MaxActiveLeases = LimitOf(role.MaxActiveLeases),
        };
        return role.MaxTtl is null ? spec : spec with { MaxTtl = role.MaxTtl.ToTimeSpan() };
    }

    private static RoleParameter ToProto(SpecParameter parameter) => new()
    {
        Name = parameter.Name,
        Type = parameter.Values.Count > 0 ? RoleParameter.Types.Type.Enum : RoleParameter.Types.Type.Pattern,
        Values = { parameter.Values },
        Pattern = parameter.Pattern,
        Required = parameter.Required,
        Default = parameter.Default,
        Description = parameter.Description,
    };

    private static SpecParameter ToSpec(RoleParameter parameter) => new()
    {
        Name = parameter.Name,
        Values = [.. parameter.Values],
        Pattern = parameter.Pattern,
        Required = parameter.Required,
        Default = parameter.Default,
        Description = parameter.Description,
    };

    private static RoleKind ToProto(Abstractions.RoleKind kind, IProviderType type) => new()
    {
        Kind = kind.Name,
        Description = kind.Description,
        TemplateSchema = kind.TemplateSchema.ToJsonString(),
        Local = type.Local,
        LateEffect = ((TimeSpan?)type.LateEffect).ToProto(),
        CredentialFields = { kind.CredentialFields },
    };

    private static Abstractions.RoleKind? KindOf(Registered<RoleSpec> role, Catalog catalog, DomainTypes types) =>
        role.Entry.ParentUid is { } parent && catalog.Current.TryFindProvider(parent, out var provider) && types.Find(provider.Spec.Type) is { } type
            ? DomainTypes.FindKind(type, role.Spec.Kind) : null;

    private static int? LimitOf(int value) => value == 0 ? null : value;
}

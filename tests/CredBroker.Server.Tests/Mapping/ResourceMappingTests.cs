using CredBroker.Abstractions;
using CredBroker.AspNetCore.Mapping;
using CredBroker.Contracts;
using CredBroker.Contracts.V1;
using CredBroker.Core.Registry;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using RoleParameter = CredBroker.Contracts.V1.RoleParameter;

namespace CredBroker.Server.Tests.Mapping;

/// <summary>Whatever can be set of an administered resource survives the way into the registry's JSON and back.</summary>
[TestFixture]
internal sealed class ResourceMappingTests
{
    private static readonly string[] Common = ["name", "uid", "etag", "version", "create_time", "update_time", "managed_by"];

    [Test]
    public void Keeps_every_field_of_a_provider() => Keeps(ProviderMapping.Providers, Filled(new Provider { Type = "token" }));

    [Test]
    public void Keeps_every_field_of_an_identity_source() => Keeps(SourceMapping.IdentitySources, Filled(new IdentitySource()));

    [Test]
    public void Keeps_apart_a_token_without_typ_and_a_source_that_says_nothing_of_it()
    {
        Keeps(SourceMapping.IdentitySources, new IdentitySource { Type = "oidc", Preset = "github", Oidc = new OidcSource() });
        Keeps(SourceMapping.IdentitySources, new IdentitySource { Type = "oidc", Oidc = new OidcSource { Issuer = "https://ci.example", Typ = { "" } } });
        Assert.That(SourceMapping.IdentitySources.ToSpec(new IdentitySource { Type = "oidc", Preset = "github" }).Oidc.Typ, Is.Null);
        Assert.That(SourceMapping.IdentitySources.ToSpec(new IdentitySource { Type = "oidc", Oidc = new OidcSource { Typ = { "JWT", "" } } }).Oidc.Typ, Is.EqualTo(new[] { "JWT", "" }));
    }

    [Test]
    public void Keeps_every_field_of_a_hook()
    {
        var hook = Filled(new Hook());
        hook.IdentitySources[0] = "identitySources/ci";
        Keeps(RuleMapping.Hooks, hook);
    }

    [Test]
    public void Keeps_every_field_of_a_policy_set()
    {
        var set = Filled(new PolicySet());
        set.Kind = PolicySet.Types.Kind.Scoped;
        set.Scope = new PolicyScope { Providers = { "providers/a" }, IdentitySources = { "identitySources/b" }, Actions = { "issue" } };
        Keeps(RuleMapping.PolicySets, set);
    }

    [Test]
    public void Keeps_every_field_of_a_role()
    {
        var role = Filled(new Role());
        role.Parameters[0].Type = RoleParameter.Types.Type.Enum;
        var types = new Core.Providers.ProviderTypes([]);
        var mapping = ProviderMapping.RolesOf(null!, types);
        Keeps(mapping, role);
    }

    [Test]
    public void An_etag_is_that_of_one_state_of_one_resource()
    {
        // Made in one and the same moment, as by a manifest folder: such uids begin alike.
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var etags = Enumerable.Range(0, 50).Select(_ => Entry("{}") with { Uid = Uid.New(time) })
            .SelectMany(entry => new[] { entry, entry with { Version = 2 } }).Select(Administered.EtagOf).ToList();
        Assert.That(etags, Is.Unique);
        Assert.That(Administered.EtagOf(Entry("{}") with { Version = long.MaxValue }), Has.Length.LessThanOrEqualTo(ContractDescriptors.RulesOf(Provider.Descriptor.FindFieldByName("etag"))!.MaxLen));
    }

    private static RegistryEntry Entry(string json, ResourceKind kind = ResourceKind.Provider) => new()
    {
        Uid = Uid.New(TimeProvider.System),
        Kind = kind,
        Name = "a",
        Version = 1,
        SpecJson = json,
        ManagedBy = "api",
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    };

    private static void Keeps<TSpec, TProto>(ResourceMapping<TSpec, TProto> mapping, TProto resource)
        where TSpec : class
        where TProto : class, IMessage<TProto>, IDeepCloneable<TProto>
    {
        var json = SpecJson.Write(mapping.ToSpec(resource));
        var back = mapping.ToProto(new Registered<TSpec>(Entry(json, mapping.Type.Kind), SpecJson.Read<TSpec>(json)));
        foreach (var field in resource.Descriptor.Fields.InDeclarationOrder().Where(field => ContractDescriptors.IsOutputOnly(field) || Common.Contains(field.Name)))
        {
            field.Accessor.Clear(resource);
            field.Accessor.Clear(back);
        }

        Assert.That(back, Is.EqualTo(resource));
    }

    /// <summary>The message with something in every field.</summary>
    private static T Filled<T>(T message)
        where T : IMessage
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (field.IsMap)
            {
                ((System.Collections.IDictionary)field.Accessor.GetValue(message))["key"] = "value";
                continue;
            }

            if (field.IsRepeated)
            {
                ((System.Collections.IList)field.Accessor.GetValue(message)).Add(Some(field));
                continue;
            }

            if (field.FieldType == FieldType.String && ((string)field.Accessor.GetValue(message)).Length > 0) continue;
            field.Accessor.SetValue(message, Some(field));
        }

        return message;
    }

    private static object Some(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.String => field.Name + "-1",
        FieldType.Bool => true,
        FieldType.Int32 => 7,
        FieldType.Int64 => 7L,
        FieldType.Enum => System.Enum.ToObject(field.EnumType.ClrType, 1),
        FieldType.Message => field.MessageType.FullName switch
        {
            "google.protobuf.Timestamp" => new Timestamp { Seconds = 1_700_000_000, Nanos = 123_456_000 },
            "google.protobuf.Duration" => new Duration { Seconds = 90 },
            "google.protobuf.Struct" => new Struct { Fields = { ["a"] = Value.ForNumber(5), ["b"] = Value.ForList(Value.ForString("c")) } },
            _ => Filled((IMessage)Activator.CreateInstance(field.MessageType.ClrType)!),
        },
        _ => throw new NotSupportedException(field.FullName),
    };
}

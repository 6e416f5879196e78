using CredBroker.AspNetCore.Masks;
using CredBroker.Contracts.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CredBroker.Server.Tests.Masks;

[TestFixture]
internal sealed class UpdateMasksTests
{
    private static IdentitySource Current => new()
    {
        Name = "identitySources/ci",
        Uid = "1",
        Etag = "e",
        Version = 3,
        Owner = "platform",
        Type = "oidc",
        Oidc = new OidcSource { Issuer = "https://a", Audiences = { "x", "y" }, Attributes = { ["ref"] = "ref" } },
    };

    [Test]
    public void Changes_only_what_is_named()
    {
        var changed = UpdateMasks.Apply(Current, new IdentitySource { Owner = "other", Environment = "prod" }, Mask("environment"));

        Assert.That((changed.Owner, changed.Environment), Is.EqualTo(("platform", "prod")));
    }

    [Test]
    public void Clears_what_is_named_and_absent()
    {
        var changed = UpdateMasks.Apply(Current, new IdentitySource(), Mask("owner", "oidc.audiences"));

        Assert.That((changed.Owner, changed.Oidc.Audiences.Count, changed.Oidc.Issuer), Is.EqualTo(("", 0, "https://a")));
    }

    [Test]
    public void Takes_what_is_present_without_a_mask()
    {
        var changed = UpdateMasks.Apply(Current, new IdentitySource { Owner = "other", Uid = "2", Etag = "f" }, null);

        Assert.That((changed.Owner, changed.Uid, changed.Etag, changed.Oidc.Issuer), Is.EqualTo(("other", "1", "e", "https://a")));
    }

    [Test]
    public void Replaces_all_that_can_change_by_a_star()
    {
        var changed = UpdateMasks.Apply(Current, new IdentitySource { Oidc = new OidcSource { Issuer = "https://b" } }, Mask("*"));

        Assert.That((changed.Owner, changed.Type, changed.Version), Is.EqualTo(("", "oidc", 3L)));
        Assert.That(changed.Oidc, Is.EqualTo(new OidcSource { Issuer = "https://b" }));
    }

    [TestCase("nothing")]
    [TestCase("uid")]
    [TestCase("oidc.nothing")]
    [TestCase("owner.length")]
    [TestCase("oidc.audiences.x")]
    [TestCase("")]
    [TestCase("..")]
    [TestCase("type")]
    public void Refuses_what_cannot_be_changed(string path) =>
        Assert.Throws<RpcException>(() => UpdateMasks.Apply(Current, new IdentitySource { Type = "x509" }, Mask(path)));

    [Test]
    public void Lets_an_immutable_field_be_named_with_the_value_that_it_has() =>
        Assert.That(UpdateMasks.Apply(Current, new IdentitySource { Type = "oidc", Owner = "b" }, Mask("type", "owner")).Owner, Is.EqualTo("b"));

    private static FieldMask Mask(params string[] paths) => new() { Paths = { paths } };
}

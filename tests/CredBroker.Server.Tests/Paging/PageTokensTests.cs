using CredBroker.AspNetCore.Paging;
using Grpc.Core;
using Microsoft.AspNetCore.DataProtection;

namespace CredBroker.Server.Tests.Paging;

[TestFixture]
internal sealed class PageTokensTests
{
    private readonly PageTokens _tokens = new(new EphemeralDataProtectionProvider());

    [Test]
    public void Carries_the_key_of_the_next_page()
    {
        var token = _tokens.Write("leases", "01abc/ä");

        Assert.That(token, Does.Match("^[A-Za-z0-9_-]+$"));
        Assert.That(_tokens.Read("leases", 0, token), Is.EqualTo(new CredBroker.Core.PageRequest(50, "01abc/ä")));
    }

    [Test]
    public void Starts_without_a_token_and_ends_with_none()
    {
        Assert.That(_tokens.Read("leases", 7, ""), Is.EqualTo(new CredBroker.Core.PageRequest(7, null)));
        Assert.That(_tokens.Write("leases", null), Is.Empty);
    }

    [Test]
    public void Refuses_a_token_of_another_list() => Assert.Throws<RpcException>(() => _tokens.Read("tasks", 0, _tokens.Write("leases", "1")));

    [TestCase("a")]
    [TestCase("____")]
    [TestCase("CfDJ8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void Refuses_what_is_no_token(string token) => Assert.Throws<RpcException>(() => _tokens.Read("leases", 0, token));

    [Test]
    public void Refuses_a_token_that_was_changed()
    {
        var token = _tokens.Write("leases", "key");
        var changed = token[..^5] + (token[^5] == 'A' ? 'B' : 'A') + token[^4..];

        Assert.Throws<RpcException>(() => _tokens.Read("leases", 0, changed));
    }
}

using CredBroker.Abstractions;

namespace CredBroker.Providers.PostgreSql.Tests;

/// <summary>The note that stands as a comment on a role of the server's.</summary>
internal sealed class AnchorTests
{
    private static CancellationToken None => CancellationToken.None;

    [Test]
    public async Task A_note_is_kept_by_a_role_that_is_no_login_and_no_credential_and_made_anew_where_it_was_dropped()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var anchoring = (IAnchoringProvider)provider;
        var identity = (await provider.CheckAsync(None)).TargetIdentity;
        Assert.That(await anchoring.ReadAnchorAsync(None), Is.EqualTo(new AnchorLook(identity, null)));
        Assert.That(await anchoring.ReplaceAnchorAsync("something", "a:1", None), Is.False, "that does not stand there");
        Assert.That(await anchoring.ReplaceAnchorAsync(null, "a:1", None), Is.True);
        Assert.That(await anchoring.ReadAnchorAsync(None), Is.EqualTo(new AnchorLook(identity, "a:1")));
        Assert.That(await anchoring.ReplaceAnchorAsync(null, "a:2", None), Is.False);
        Assert.That(await target.Database.ScalarAsync<long>($"SELECT count(*) FROM pg_roles WHERE rolname = '{NameIn(target)}' AND NOT rolcanlogin AND NOT rolcreaterole AND NOT rolsuper"), Is.EqualTo(1));
        var listed = new List<OutstandingCredential>();
        await foreach (var found in ((IListingProvider)provider).ListAsync(None)) listed.Add(found);
        Assert.That(listed, Is.Empty);

        await target.Database.ExecuteAsync($"DROP ROLE {NameIn(target)}");
        Assert.That((await anchoring.ReadAnchorAsync(None)).Text, Is.Null);
        Assert.That(await anchoring.ReplaceAnchorAsync(null, "a:3", None), Is.True);
        await target.Database.ExecuteAsync($"COMMENT ON ROLE {NameIn(target)} IS '{new string('x', 5000)}'");
        var long1 = (await anchoring.ReadAnchorAsync(None)).Text;
        Assert.That(long1, Has.Length.EqualTo(1000), "whatever somebody wrote, no more of it is read");
        Assert.That(await anchoring.ReplaceAnchorAsync(long1, "a:4", None), Is.True);
        Assert.That(async () => await anchoring.ReplaceAnchorAsync("a:4", "'; DROP ROLE x; --", None), Throws.ArgumentException);
        await target.Database.ExecuteAsync($"DROP ROLE {NameIn(target)}");
    }

    [Test]
    public async Task Of_nodes_that_write_at_once_one_does()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await using var other = target.Connect();
        IAnchoringProvider[] nodes = [(IAnchoringProvider)provider, (IAnchoringProvider)other];
        string? seen = null;
        for (var round = 0; round < 5; round++)
        {
            var wrote = await Task.WhenAll(Enumerable.Range(0, 8).Select(number => nodes[number % 2].ReplaceAnchorAsync(seen, $"a:{round}:{number}", None)));
            Assert.That(wrote.Count(one => one), Is.EqualTo(1));
            seen = (await nodes[0].ReadAnchorAsync(None)).Text;
            Assert.That(seen, Is.EqualTo($"a:{round}:{Array.IndexOf(wrote, true)}"));
        }

        await target.Database.ExecuteAsync($"DROP ROLE {NameIn(target)}");
    }

    [Test]
    public async Task Who_may_make_no_roles_is_told_so()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await target.Database.ExecuteAsync($"ALTER ROLE {target.Broker.Username} NOCREATEROLE");
        Assert.That(
            async () => await ((IAnchoringProvider)provider).ReplaceAnchorAsync(null, "a:1", None),
            Throws.InstanceOf<ProviderException>().With.Property(nameof(ProviderException.Fault)).EqualTo(ProviderFault.Denied));
        Assert.That((await ((IAnchoringProvider)provider).ReadAnchorAsync(None)).Text, Is.Null, "reading needs no right");
    }

    private static string NameIn(Target target) => $"cba_{target.Context.InstallationId}_{target.Context.ProviderUid}";
}

using System.Globalization;
using CredBroker.Core.Registry;
using CredBroker.Core.Signing;

namespace CredBroker.Core.Diagnosis;

/// <summary>Reviews that are overdue, or soon are.</summary>
internal sealed class ReviewExamination(Catalog catalog, TimeProvider time) : IExamination
{
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    public string Name => "reviews";

    public async Task<IReadOnlyList<Ailment>> LookAsync(CancellationToken cancellationToken)
    {
        var snapshot = await catalog.RefreshAsync(cancellationToken);
        var providers = snapshot.Providers.Values.ToDictionary(provider => provider.Uid, provider => provider.Name);
        var all = snapshot.IdentitySources.Select(source => ($"identitySources/{source.Name}", source.Spec.Owner, source.Spec.ReviewBy))
            .Concat(snapshot.Providers.Values.Select(provider => ($"providers/{provider.Name}", provider.Spec.Owner, provider.Spec.ReviewBy)))
            .Concat(snapshot.Roles.Where(role => providers.ContainsKey(role.Entry.ParentUid!.Value)).Select(role => ($"providers/{providers[role.Entry.ParentUid!.Value]}/roles/{role.Name}", role.Spec.Owner, role.Spec.ReviewBy)))
            .Concat(snapshot.Hooks.Values.Select(hook => ($"hooks/{hook.Name}", hook.Spec.Owner, hook.Spec.ReviewBy)))
            .Concat(snapshot.PolicySets.Select(set => ($"policySets/{set.Name}", set.Spec.Owner, set.Spec.ReviewBy)));
        var now = time.Now();
        return [.. all.Where(one => one.ReviewBy < now + Soon).Select(one => Of(one.Item1, one.Owner, one.ReviewBy!.Value, now))];
    }

    private static Ailment Of(string name, string owner, DateTimeOffset by, DateTimeOffset now)
    {
        var who = owner.Length > 0 ? owner : "Nobody is named as its owner: whoever administers it";
        var date = by.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return by <= now
            ? new Ailment(Severity.Warning, "review-overdue", name, $"Its review is overdue since {date}: nothing new comes by it.", $"{who} looks at it and moves reviewBy")
            : new Ailment(Severity.Notice, "review-soon", name, $"Its review is due on {date}: from then on nothing new comes by it.", $"{who} looks at it and moves reviewBy");
    }
}

/// <summary>Keys that are missing, and earlier ones that are still needed, or no longer are.</summary>
internal sealed class KeyExamination(ISigningKeyStore keys, IDiagnosisStore store, LeaseMarks marks, InstallationOptions installation, TimeProvider time) : IExamination
{
    public string Name => "keys";

    public async Task<IReadOnlyList<Ailment>> LookAsync(CancellationToken cancellationToken)
    {
        var now = time.Now();
        var found = new List<Ailment>();
        var stored = await keys.LoadAsync(cancellationToken);
        foreach (var family in KeyFamilies.All)
        {
            if (stored.Any(key => key.Family == family && key.UseFrom <= now && !(key.RetireAt <= now))) continue;
            found.Add(new Ailment(Severity.Critical, "no-signing-key", $"keys/{KeyFamilies.PathOf(family)}", "No key of this family can sign now.", "Restart a node: it makes the first key of a family that has none"));
        }

        var needed = (await store.ReadAsync(now, cancellationToken)).MarkKeys;
        foreach (var id in installation.PreviousWrappingKeys.Select(LeaseMarks.KeyIdOf).Distinct().Where(id => id != marks.PresentKeyId))
        {
            found.Add(needed.GetValueOrDefault(id) is > 0 and var count
                ? new Ailment(Severity.Notice, "earlier-wrapping-key", "keys/wrapping", $"The earlier wrapping key {id} is still needed: {count} leases that are not proven dead were marked under it.", "Keep it among installation.previousWrappingKeyFiles")
                : new Ailment(Severity.Notice, "earlier-wrapping-key", "keys/wrapping", $"No lease needs the mark of the earlier wrapping key {id} any more.", "Keep it as long as backups from its time may be restored"));
        }

        return found;
    }
}

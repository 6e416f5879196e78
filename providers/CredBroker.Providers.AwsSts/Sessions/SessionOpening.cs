using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Protocol;

namespace CredBroker.Providers.AwsSts.Sessions;

/// <summary>A session as STS opened it.</summary>
internal sealed record OpenedSession(AwsKeys Keys, string RoleId, DateTimeOffset Now);

/// <summary>The call that opens a session, and what it may be called with.</summary>
internal sealed class SessionOpening(AwsApi api, TimeProvider time)
{
    private const int ShortestSeconds = 900;
    private const int LongestSeconds = 43_200;
    private const int LongestChainedSeconds = 3600;

    public static DateTimeOffset WholeSeconds(DateTimeOffset instant) => DateTimeOffset.FromUnixTimeSeconds(instant.ToUnixTimeSeconds());

    /// <summary>
    /// The seconds to ask for. A session has at least 900 of them: one that ends sooner ends by its own policy. From role to role it has an hour at most.
    /// </summary>
    public int DurationOf(DateTimeOffset expiresAt, bool chained)
    {
        var left = (expiresAt - time.GetUtcNow()).TotalSeconds;
        if (left <= 0) throw new ProviderException(ProviderFault.Credential, "The credential's life is over already.", ProviderEffect.None);
        return (int)Math.Clamp(Math.Ceiling(left), ShortestSeconds, chained ? LongestChainedSeconds : LongestSeconds);
    }

    /// <exception cref="ProviderException">It has passed: nothing that makes something is sent any more.</exception>
    public void RequireBefore(DateTimeOffset deadline)
    {
        if (time.GetUtcNow() >= deadline) throw new ProviderException(ProviderFault.Credential, "The deadline has passed.", ProviderEffect.None);
    }

    /// <summary>The tags of a session. What AWS cannot carry as it is is refused: cut or rewritten, it could become somebody else's name.</summary>
    public static IReadOnlyList<(string Key, string Value)> TagsOf(IssueRequest request, IReadOnlyDictionary<string, string> own, bool task, bool workload)
    {
        var tags = own.OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => (tag.Key, tag.Value)).ToList();
        if (task) tags.Add(("credbroker:task", request.TaskId.ToString()));
        if (!workload) return tags;
        if (!Names.IsTagValue(request.Workload))
            throw new ProviderException(ProviderFault.Misconfigured, "The workload's name has characters that a session tag cannot carry. Set workloadTag to false in the role.", ProviderEffect.None);
        tags.Add(("credbroker:workload", request.Workload));
        return tags;
    }

    /// <summary>Tags as parameters.</summary>
    public static IEnumerable<(string Name, string Value)> Parameters(IReadOnlyList<(string Key, string Value)> tags, bool transitive)
    {
        for (var i = 0; i < tags.Count; i++)
        {
            var number = (i + 1).ToString(CultureInfo.InvariantCulture);
            yield return ($"Tags.member.{number}.Key", tags[i].Key);
            yield return ($"Tags.member.{number}.Value", tags[i].Value);
            if (transitive) yield return ($"TransitiveTagKeys.member.{number}", tags[i].Key);
        }
    }

    /// <summary>Opens it. Once it is sent, only a refusal in STS's own form means that nothing was made.</summary>
    public async Task<OpenedSession> AssumeAsync(
        string roleArn, string name, int seconds, IEnumerable<(string Name, string Value)> further, CancellationToken cancellationToken) =>
        Open(await AskAsync(roleArn, name, seconds, further, cancellationToken).ConfigureAwait(false), name);

    /// <summary>The same, with the refusal as an answer.</summary>
    public Task<QueryAnswer> AskAsync(string roleArn, string name, int seconds, IEnumerable<(string Name, string Value)> further, CancellationToken cancellationToken) =>
        api.StsAsync(
            "AssumeRole",
            [
                ("RoleArn", roleArn),
                ("RoleSessionName", name),
                ("SourceIdentity", name),
                ("DurationSeconds", seconds.ToString(CultureInfo.InvariantCulture)),
                .. further,
            ],
            cancellationToken);

    /// <summary>What was opened, if it is what was asked for.</summary>
    public static OpenedSession Open(QueryAnswer answer, string name)
    {
        var done = answer.Require();
        var id = done.Result.Child("AssumedRoleUser")?.Text("AssumedRoleId")?.Split(':');
        // A session that the deny document would not reach must not be handed out.
        if (id is not [{ Length: > 0 } roleId, var session] || session != name || done.Result.Text("SourceIdentity") is { } identity && identity != name)
            throw new ProviderException(ProviderFault.TargetMismatch, "sts AssumeRole: the session that was opened does not carry the name that was asked for.");
        return new OpenedSession(StsAnswers.KeysOf(done.Result), roleId, done.Now);
    }
}

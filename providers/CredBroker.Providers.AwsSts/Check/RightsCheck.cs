using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Policies;
using CredBroker.Providers.AwsSts.Protocol;

namespace CredBroker.Providers.AwsSts.Check;

/// <summary>Asks IAM what the broker may do, without doing it.</summary>
internal sealed class RightsCheck(AwsApi api, string? brokerArn)
{
    /// <summary>A finding that names each missing right on a resource, with the statement that gives it.</summary>
    public async Task<HealthFinding> RunAsync(string subject, string resource, IReadOnlyList<string> actions, string? boundary, CancellationToken cancellationToken)
    {
        var fix = PolicyText.Write(new Statement(true, actions, [resource]));
        if (brokerArn is null) return new(FindingLevel.Warning, subject, "The broker's own role is not known with its path, so its rights could not be looked up. It needs these.", fix);
        var parameters = new List<(string, string)> { ("PolicySourceArn", brokerArn), ("ResourceArns.member.1", resource) };
        parameters.AddRange(actions.Select((action, i) => (string.Create(CultureInfo.InvariantCulture, $"ActionNames.member.{i + 1}"), action)));
        if (boundary is not null)
        {
            parameters.AddRange(
            [
                ("ContextEntries.member.1.ContextKeyName", "iam:PermissionsBoundary"), ("ContextEntries.member.1.ContextKeyType", "string"),
                ("ContextEntries.member.1.ContextKeyValues.member.1", boundary),
            ]);
        }

        var answer = await api.IamAsync("SimulatePrincipalPolicy", parameters, cancellationToken).ConfigureAwait(false);
        if (answer is QueryAnswer.Refused { Code: "AccessDenied" })
            return new(FindingLevel.Warning, subject, "Whether the broker has these rights could not be verified: it may not ask (iam:SimulatePrincipalPolicy on itself).", fix);
        var allowed = answer.Require().Result.Members("EvaluationResults").Where(result => result.Text("EvalDecision") == "allowed").Select(result => result.Text("EvalActionName"));
        var missing = actions.Except(allowed, StringComparer.OrdinalIgnoreCase).ToList();
        return missing.Count == 0
            ? new(FindingLevel.Ok, subject, $"The broker has {string.Join(", ", actions)}.")
            : new(FindingLevel.Missing, subject, $"The broker lacks {string.Join(", ", missing)}.", PolicyText.Write(new Statement(true, missing!, [resource])));
    }
}

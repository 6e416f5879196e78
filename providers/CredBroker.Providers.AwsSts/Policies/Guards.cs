namespace CredBroker.Providers.AwsSts.Policies;

/// <summary>What stands beside a role's own statements in every policy that we write for a lease.</summary>
internal static class Guards
{
    /// <summary>
    /// No chaining: a session of another role would keep the name, but the deny on the first role does not reach it. An explicit deny, because a trust
    /// policy of the same account that names the session gets past a missing allow.
    /// </summary>
    private static readonly Statement NoChaining = new(false, ["sts:AssumeRole", "sts:AssumeRoot"], ["*"]);

    /// <summary>The statements.</summary>
    /// <param name="roleArn">The role of the session, whose own policies it must not touch: it could lift what denies it.</param>
    /// <param name="expiresAt">From then on everything is denied, by AWS's own clock, however late the session was opened.</param>
    /// <param name="mayChain">Whether the session may open others.</param>
    public static IEnumerable<Statement> Of(string roleArn, DateTimeOffset expiresAt, bool mayChain)
    {
        if (!mayChain) yield return NoChaining;
        yield return new Statement(false, ["iam:*"], [roleArn]);
        yield return new Statement(false, ["*"], ["*"]) { Conditions = [new Condition("DateGreaterThanEquals", "aws:CurrentTime", PolicyText.Instant(expiresAt))] };
    }

    /// <summary>Whether statements let their holder make credentials or rights that outlive the session.</summary>
    public static bool Mint(IEnumerable<PolicyStatement> statements) => statements.Any(statement =>
        statement.Effect == StatementEffect.Allow && statement.Actions.Any(action => action is ['*', ..] || action.StartsWith("iam:", StringComparison.Ordinal) || action.StartsWith("sts:", StringComparison.Ordinal)));
}

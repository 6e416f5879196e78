namespace CredBroker.Cedar.Tests.Expressions;

/// <summary>Evaluates an expression as the only condition of a permit.</summary>
internal static class Evaluate
{
    private static readonly EntityUid Alice = new("User", "alice");

    private static readonly EntityStore Entities = EntityStore.Create(
    [
        new Entity(Alice, CedarRecord.Of(("name", "Alice"), ("age", 30), ("home", CedarRecord.Of(("city", "Bern")))),
            [new EntityUid("Team", "core")], CedarRecord.Of(("level", "high"))),
        new Entity(new EntityUid("Team", "core"), null, new EntityUid("Team", "all")),
        new Entity(new EntityUid("Doc", "d"), CedarRecord.Of(("owner", Alice))),
    ]);

    /// <summary>True, false, or null for an error.</summary>
    public static bool? Condition(string expression) => Run(expression) switch
    {
        { Errors.IsEmpty: false } => null,
        var response => response.Decision == Decision.Allow,
    };

    public static string Error(string expression) => Run(expression).Errors.Single().Message;

    private static Response Run(string expression) =>
        new Authorizer(PolicySet.Parse($"permit(principal, action, resource) when {{ {expression} }};").OrThrow()).IsAuthorized(
            new Request(Alice, new EntityUid("Action", "read"), new EntityUid("Doc", "d"), CedarRecord.Of(("n", 5), ("tags", new CedarSet(["a", "b"])))), Entities);
}

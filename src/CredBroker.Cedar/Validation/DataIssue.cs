namespace CredBroker.Cedar;

/// <summary>One thing about a request or an entity that the schema does not allow.</summary>
/// <param name="Where">What it is about, such as <c>context.task.id</c> or <c>User::"alice" home.city</c>.</param>
/// <param name="Message">What is wrong, for a person.</param>
public sealed record DataIssue(string Where, string Message)
{
    /// <summary><c>where: message</c>.</summary>
    public override string ToString() => $"{Where}: {Message}";
}

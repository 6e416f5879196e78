using CredBroker.Cedar.Formatting;

namespace CredBroker.Cedar;

/// <summary>Lays out policies: one way of writing them, comments kept.</summary>
public static class PolicyFormatter
{
    /// <summary>How wide a line may be where it can be broken.</summary>
    public const int DefaultWidth = 80;

    /// <summary>Lays out a text of policies. Meaning and comments stay as they are; formatting what was formatted changes nothing.</summary>
    /// <param name="text">Cedar policies.</param>
    /// <param name="file">The name that errors carry.</param>
    /// <param name="width">How wide a line may be where it can be broken.</param>
    public static Parsed<string> Format(string text, string file = "", int width = DefaultWidth)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 20);
        var policies = PolicySet.Parse(text, file);
        if (!policies.IsValid)
            return new(policies.Errors);
        var formatted = DocPrinter.Print(new PolicyLayout(new CommentedTokens(text)).All(), width).TrimEnd();
        if (formatted.Length > 0)
            formatted += "\n";
        // Policies decide who gets in: what was laid out must be what was given.
        if (PolicySet.Parse(formatted).Value?.ToString() != policies.Value.ToString())
            throw new InvalidOperationException("laying out the policies would have changed them");
        return new(formatted);
    }
}

using CredBroker.Abstractions;
using CredBroker.Core.Signing;

namespace CredBroker.Server.Configuration;

/// <summary>One thing that is wrong with the configuration.</summary>
/// <param name="Origin">Where it was said: a file and its line, or an environment variable.</param>
/// <param name="Path">The key, as <c>installation.publicUrl</c>; empty for the whole.</param>
/// <param name="Message">What is wrong and what to do.</param>
public sealed record ConfigurationError(string Origin, string Path, string Message)
{
    /// <summary>One line for the operator, safe to print on a terminal.</summary>
    public override string ToString() => Printable(Path.Length == 0 ? $"{Origin}: {Message}" : $"{Origin}: {Path}: {Message}");

    // A key or value of the file may hold control or direction characters: what is shown must be what is there.
    private static string Printable(string text) => string.Concat(text.Select(character =>
        char.IsControl(character) || char.GetUnicodeCategory(character) == System.Globalization.UnicodeCategory.Format ? $"\\u{(int)character:x4}" : $"{character}"));
}

/// <summary>What reading the configuration came to.</summary>
public abstract record ConfigurationResult
{
    private ConfigurationResult()
    {
    }

    /// <summary>It can be used.</summary>
    /// <param name="Configuration">What the operator decided.</param>
    /// <param name="Installation">The installation, with its wrapping keys.</param>
    /// <param name="FileHash">SHA-256 of the file, in hex: what is audited.</param>
    public sealed record Valid(ServerConfiguration Configuration, InstallationOptions Installation, string FileHash) : ConfigurationResult;

    /// <summary>It can't, and why: everything at once.</summary>
    public sealed record Invalid(IReadOnlyList<ConfigurationError> Errors) : ConfigurationResult;
}

/// <summary>Collects what is wrong, and knows where each key was said.</summary>
internal sealed class ConfigurationErrors(string file)
{
    private readonly List<ConfigurationError> _errors = [];
    private readonly List<string> _covered = [];
    private readonly Dictionary<string, string> _origins = new(StringComparer.Ordinal);

    public IReadOnlyList<ConfigurationError> All => _errors;

    public void Note(string path, string origin) => _origins[path] = origin;

    /// <summary>Something is wrong with the form of a key. What the rules would say of the same key then is only noise.</summary>
    public void Form(string origin, string path, string message, string? meant = null)
    {
        _errors.Add(new ConfigurationError(origin, path, message));
        _covered.Add(path);
        if (meant is not null) _covered.Add(meant);
    }

    /// <summary>A value breaks a rule.</summary>
    public void Rule(string path, string message)
    {
        if (!_covered.Exists(covered => Within(path, covered) || Within(covered, path))) _errors.Add(new ConfigurationError(OriginOf(path), path, message));
    }

    public void Rules(string prefix, IEnumerable<ValidationError> errors)
    {
        foreach (var error in errors) Rule(error.Path.Length == 0 ? prefix : $"{prefix}.{error.Path}", error.Message);
    }

    private string OriginOf(string path)
    {
        for (var at = path; at.Length > 0; at = at[..Math.Max(0, at.LastIndexOfAny(['.', '[']))])
        {
            if (_origins.TryGetValue(at, out var origin)) return origin;
        }

        return file;
    }

    private static bool Within(string inner, string outer) =>
        outer.Length > 0 && inner.StartsWith(outer, StringComparison.Ordinal) && (inner.Length == outer.Length || inner[outer.Length] is '.' or '[');
}

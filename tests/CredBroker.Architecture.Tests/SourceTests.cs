using System.Text.RegularExpressions;

namespace CredBroker.Architecture.Tests;

/// <summary>Habits that no compiler enforces.</summary>
internal sealed partial class SourceTests
{
    private const int MostLines = 400;

    /// <summary>Files that may be longer, and why.</summary>
    private static readonly (string Path, string Reason)[] Longer = [];

    private static IEnumerable<string> Sources => Repository.Files("*.cs").Where(file => !file.Contains("/Migrations/", StringComparison.Ordinal));

    private static IEnumerable<string> Shipped => Sources.Where(file => file.StartsWith("src/", StringComparison.Ordinal) || file.StartsWith("providers/", StringComparison.Ordinal));

    [Test]
    public void No_file_is_too_long_to_be_read()
    {
        var long_ = Sources.Select(file => (file, Lines: Repository.ReadText(file).Count(character => character == '\n'))).Where(entry => entry.Lines > MostLines);
        Assert.That(long_.Where(entry => !Longer.Any(exception => exception.Path == entry.file)), Is.Empty);
        Assert.That(Longer.Where(exception => exception.Reason.Length < 10), Is.Empty);
    }

    [Test]
    public void Nothing_is_left_for_later() => Assert.That(Find(Sources.Where(file => !file.EndsWith("/SourceTests.cs", StringComparison.Ordinal)), Leftover()), Is.Empty);

    [Test]
    public void No_error_is_swallowed_without_a_word() => Assert.That(Find(Shipped, EmptyCatch()), Is.Empty);

    [Test]
    public void Secrets_are_not_held_in_what_can_be_set_or_printed() => Assert.That(Find(Shipped, SecretText()), Is.Empty);

    [Test]
    public void Settings_of_the_repository_are_not_switched_off_in_a_project()
    {
        string[] settings = ["TreatWarningsAsErrors", "Nullable", "EnforceCodeStyleInBuild", "DisableTransitiveProjectReferences", "ManagePackageVersionsCentrally"];
        Assert.That(Repository.Projects.SelectMany(project => settings.Where(setting => Repository.ReadText(project.Path).Contains($"<{setting}>", StringComparison.Ordinal)).Select(setting => $"{project.Path}: {setting}")), Is.Empty);
    }

    private static IEnumerable<string> Find(IEnumerable<string> files, Regex pattern) =>
        files.SelectMany(file => pattern.Matches(Repository.ReadText(file)).Select(match => $"{file}: {match.Value.Trim()}"));

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException|Thread\.Sleep")]
    private static partial Regex Leftover();

    [GeneratedRegex(@"\bcatch\s*(\([^\n]*\)\s*)?\{\s*\}")]
    private static partial Regex EmptyCatch();

    // A public property of text named like a secret: it would be printed by the record that holds it, or by whoever logs that.
    [GeneratedRegex(@"public (required )?(string|byte\[\])\??\s+\w*(Password|ClientSecret|PrivateKey|AccessToken)\s*\{")]
    private static partial Regex SecretText();
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Cedar.Tests.Fuzzing;
using Wasmtime;

namespace CredBroker.Cedar.Tests.Differential;

/// <summary>Mutations of the corpus, given to both implementations: what the one reads, the other reads.</summary>
internal sealed class AcceptanceTests
{
    private const int MaxDifferences = 8;

    // The same in every run, so that only a change of ours fails it; other seeds are for long runs.
    private const int FixedSeed = 3;

    [Test]
    public void Policies() => Compare("*.cedar", text => text, text => $$"""{"staticPolicies": {{JsonSerializer.Serialize(text)}} }""", "checkParsePolicySet", text => PolicySet.Parse(text).Errors);

    [Test]
    public void Policies_in_JSON() => Compare("*.cedar", text => CedarJson.Write(PolicySet.Parse(text).OrThrow().Policies[0]), text => $$"""{"staticPolicies": {"p": {{text}} } }""", "checkParsePolicySet",
        text => CedarJson.ParsePolicy(text).Errors, true, "is unknown here", "Duplicate property");

    [Test]
    public void Schemas() => Compare("*.cedarschema", text => text, text => JsonSerializer.Serialize(text), "checkParseSchema", text => Schema.Parse(text).Errors, false, "the attribute");

    [Test]
    public void Schemas_in_JSON() => Compare("*.cedarschema", text => Schema.Parse(text).OrThrow().ToJson(), text => text, "checkParseSchema", text => Schema.ParseJson(text).Errors, true, "Duplicate property");

    [Test]
    public void Entities() => Compare("*ntities.json", text => text, text => $$"""{"entities": {{text}} }""", "checkParseEntities", text => CedarJson.ParseEntities(text).Errors, true, "is unknown here", "is given twice", "Duplicate property");

    private static void Compare(string pattern, Func<string, string> prepare, Func<string, string> call, string function, Func<string, IReadOnlyList<Diagnostic>> read, bool isJson = false, params string[] known)
    {
        var seed = Setting("CREDBROKER_TEST_CEDAR_SEED") ?? FixedSeed;
        var count = Setting("CREDBROKER_TEST_CEDAR_MUTATIONS") ?? 500;
        TestContext.Out.WriteLine($"CREDBROKER_TEST_CEDAR_SEED={seed}, {count} mutations");
        var corpus = Conformance.Corpus.Available().First().Folder.Value;
        var texts = Directory.EnumerateFiles(corpus, pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f => prepare(File.ReadAllText(f))).Where(t => t.Length < 5_000).ToList();
        var mutator = new Mutator(new Random(seed), texts, maxNesting: 12, maxMutations: 2);
        var found = new List<string>();
        var (accepted, refused) = (0, 0);
        var oracle = OracleModule.Start();
        for (var i = 0; i < count && found.Count < MaxDifferences; i++)
        {
            var text = mutator.Next();
            if ((isJson && !IsJson(text)) || !CredBroker.Cedar.Text.Names.IsUnicode(text))
                continue;
            var ours = read(text);
            bool theirs;
            try
            {
                theirs = oracle.Call(function, call(text)) is JsonObject answer && answer["type"]!.GetValue<string>() == "success";
            }
            catch (Exception e) when (e is WasmtimeException or InvalidOperationException)
            {
                // It ran out of stack: this one says nothing, and the instance is broken.
                oracle.Dispose();
                oracle = OracleModule.Start();
                continue;
            }
            // Refused here, since each is nearly always a mistake that would go unnoticed; the README lists them.
            if (theirs && ours.Any(o => known.Any(k => o.Message.Contains(k, StringComparison.Ordinal))))
                continue;
            if (theirs != (ours.Count == 0))
                found.Add($"theirs {(theirs ? "reads" : "refuses")}, ours says {string.Join("; ", ours.Take(2))}\n{text}");
            (accepted, refused) = theirs ? (accepted + 1, refused) : (accepted, refused + 1);
        }
        oracle.Dispose();
        TestContext.Out.WriteLine($"{accepted} accepted and {refused} refused by both");
        Assert.That(found, Is.Empty, $"seed {seed}\n{string.Join("\n\n", found)}");
        Assert.That(accepted, Is.Positive);
    }

    // What is no JSON at all is never seen by the official implementation: whoever calls it parses first.
    private static bool IsJson(string text)
    {
        try
        {
            using var _ = JsonDocument.Parse(text);
            return true;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            return false;
        }
    }

    private static int? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}

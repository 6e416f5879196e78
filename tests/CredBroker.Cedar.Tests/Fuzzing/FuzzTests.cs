using System.Diagnostics;
using System.Globalization;

namespace CredBroker.Cedar.Tests.Fuzzing;

/// <summary>
/// Mutations of the corpus, given to every reader on a small stack: they end in time with a value or with errors, and what they accept can be written, laid out
/// and used. <c>CREDBROKER_TEST_CEDAR_MUTATIONS</c> sets how many of each kind, <c>CREDBROKER_TEST_CEDAR_SEED</c> repeats a run.
/// </summary>
internal sealed class FuzzTests
{
    // The same in every run, so that only a change of ours fails it; other seeds are for long runs.
    private const int FixedSeed = 3;

    // Far more than any takes, but on a busy machine.
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(20);

    private static readonly EntityUid Uid = new("A", "");

    [Test]
    public void Policies() => Fuzz("*.cedar", text => text, text =>
    {
        var parsed = PolicySet.Parse(text);
        foreach (var error in parsed.Errors)
            error.Show(text);
        return Use(parsed.Value, PolicyFormatter.Format(text).Value);
    });

    [Test]
    public void Policies_in_JSON() => Fuzz("*.cedar", text => PolicySet.Parse(text).OrThrow().ToJson(), text => Use(PolicySet.ParseJson(text).Value, null));

    [Test]
    public void Schemas() => Fuzz("*.cedarschema", text => text, text => Use(Schema.Parse(text).Value));

    [Test]
    public void Schemas_in_JSON() => Fuzz("*.cedarschema", text => Schema.Parse(text).OrThrow().ToJson(), text => Use(Schema.ParseJson(text).Value));

    [Test]
    public void Entities() => Fuzz("*ntities.json", text => text, text =>
    {
        if (CedarJson.ParseEntities(text).Value is not { } entities)
            return false;
        Assert.That(CedarJson.ParseEntities(CedarJson.Write(entities)).OrThrow().Entities, Has.Count.EqualTo(entities.Entities.Count));
        foreach (var entity in entities.Entities)
            entities.IsIn(entity.Uid, Uid);
        return true;
    });

    private static bool Use(PolicySet? policies, string? formatted)
    {
        if (policies is null)
            return false;
        if (formatted is not null)
            Assert.That(PolicyFormatter.Format(formatted).OrThrow(), Is.EqualTo(formatted));
        var again = PolicySet.ParseJson(policies.ToJson()).OrThrow();
        Assert.That(again.ToJson(), Is.EqualTo(policies.ToJson()));
        Assert.That(PolicySet.Parse(policies.ToString()).OrThrow().ToString(), Is.EqualTo(policies.ToString()));
        new Authorizer(policies).IsAuthorized(new Request(Uid, Uid, Uid, CedarRecord.Empty), EntityStore.Empty);
        new Authorizer(policies).IsAuthorized(new PartialRequest { Principal = Uid, Action = Uid, UnknownContext = ["a"] }, EntityStore.Empty);
        Small.Validate(policies);
        foreach (var policy in policies.Policies)
            PolicyReads.PathsOf(policy);
        return true;
    }

    private static bool Use(Schema? schema)
    {
        if (schema is null)
            return false;
        Assert.That(Schema.ParseJson(schema.ToJson()).OrThrow().ToJson(), Is.EqualTo(schema.ToJson()));
        if (schema.ToText().Value is { } text)
            Assert.That(Schema.Parse(text).OrThrow().ToText().OrThrow(), Is.EqualTo(text));
        new Validator(schema).Validate(PolicySet.Parse("permit(principal, action, resource) when { context has a && principal has a.b };").OrThrow());
        return true;
    }

    private static readonly Validator Small = new(Schema.Parse("entity A; action a appliesTo { principal: A, resource: A, context: { a?: Long } };").OrThrow());

    private static void Fuzz(string pattern, Func<string, string> prepare, Func<string, bool> use)
    {
        var seed = Setting("CREDBROKER_TEST_CEDAR_SEED") ?? FixedSeed;
        var count = Setting("CREDBROKER_TEST_CEDAR_MUTATIONS") ?? 1_500;
        TestContext.Out.WriteLine($"CREDBROKER_TEST_CEDAR_SEED={seed}, {count} mutations");
        var corpus = Conformance.Corpus.Available().First().Folder.Value;
        var texts = Directory.EnumerateFiles(corpus, pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f => prepare(File.ReadAllText(f))).ToList();
        var mutator = new Mutator(new Random(seed), texts);
        var accepted = 0;
        SmallStack.Run(() =>
        {
            for (var i = 0; i < count; i++)
            {
                var text = mutator.Next();
                var started = Stopwatch.GetTimestamp();
                try
                {
                    accepted += use(text) ? 1 : 0;
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException($"seed {seed}, mutation {i}: {e}\n{text[..Math.Min(text.Length, 4_000)]}", e);
                }
                Assert.That(Stopwatch.GetElapsedTime(started), Is.LessThan(MaxTime), $"seed {seed}, mutation {i}\n{text[..Math.Min(text.Length, 4_000)]}");
            }
        });
        TestContext.Out.WriteLine($"{accepted} of {count} accepted");
        Assert.That(accepted, Is.InRange(1, count - 1));
    }

    private static int? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}

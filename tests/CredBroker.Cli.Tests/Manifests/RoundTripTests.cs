using CredBroker.Contracts.V1;
using CredBroker.Manifests;
using CredBroker.Manifests.Planning;
using CsCheck;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Cli.Tests.Manifests;

/// <summary>What is printed is what is read, whatever texts, numbers and documents are in it.</summary>
public sealed class RoundTripTests
{
    // Texts that YAML is known to misread, and whatever characters there are, hostile ones among them.
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.OneOf(
            "", " ", "no", "yes", "on", "~", "null", "true", "1", "1.0", "0x1F", "012", "1_000", "12:30:45", "2030-01-31", ".inf", "-", "- a", "a: b", "a #b", "#a", "'", "\"", "\\",
            "a\nb", "a\nb\n", "a\n\n", "\na", " a\nb", "a \nb", "a\r\nb", "a\n\tb\n", "\t", "---", "...", "---\na", "a\n---\nb", "%TAG", "&a", "*a", "!a", "{}", "[]", "|", ">", "? a", "a,b", "@a", "`a`",
            "\u001b[31mred", "\u202egnp.exe", "\u0000", "\u0085", "\u2028", "\uFEFF", "\U000E0041", "é", "日本語", "😀", "a: b: c", "https://a.test:443/x?y=z#w", "x\n  y\n z\n\n\nw\n\n\n"),
        Gen.Int[0x20, 0x2FFFF].Where(c => c is < 0xD800 or > 0xDFFF).Array[0, 12].Select(codes => string.Concat(codes.Select(char.ConvertFromUtf32))),
        Gen.Char[" \n\t:#-abc'\"\\{}[]|>&*!%0.\u0007"].Array[0, 30].Select(chars => new string(chars)));

    private static readonly Gen<Value> Documents = Gen.Recursive<Value>((depth, value) => depth > 4
        ? Texts.Select(Value.ForString)
        : Gen.OneOf(
            Texts.Select(Value.ForString),
            Gen.Bool.Select(Value.ForBool),
            Gen.Const(Value.ForNull()),
            Gen.OneOf(0, -1, 1.5, 1e20, -1e-7, 5432, 9007199254740991, 0.1).Select(Value.ForNumber),
            value.Array[0, 4].Select(Value.ForList),
            Gen.Select(Keys, value).Array[0, 4].Select(pairs => Value.ForStruct(Document(pairs)))));

    private static readonly Gen<Provider> Providers = Gen.Select(
        Texts, Gen.Select(Keys, Documents).Array[0, 5], Gen.Int[0, 10_000_000], Gen.Int[1, 604_800], Gen.Int[0, 999_999_999],
        (owner, config, count, ttl, nanos) => new Provider
        {
            Name = "providers/books",
            Owner = owner,
            Type = "token",
            Config = Document(config),
            MaxActiveLeases = count,
            MaxTtl = new Duration { Seconds = ttl - 1, Nanos = nanos / 100 * 100 },
            ReviewBy = new Timestamp { Seconds = ttl * 3000L },
            Uid = "00000000000000000000000000",
            Version = 7,
            Etag = owner,
            TargetIdentity = owner,
        });

    private static Gen<string> Keys => Texts.Where(text => text.Length > 0 && !text.EnumerateRunes().Any(r => r.Value == 0));

    [Test]
    public void A_provider_survives_whatever_is_in_it() => Providers.Sample(provider => AssertSame(provider), iter: 800);

    [Test]
    public void A_policy_set_survives_whatever_is_in_it() =>
        Texts.Where(text => text.Length > 0).Sample(text => AssertSame(new PolicySet { Name = "policySets/a", Kind = PolicySet.Types.Kind.Ceiling, Text = text }), iter: 800);

    [Test]
    public void An_identity_source_survives_whatever_is_in_it() =>
        Gen.Select(Texts, Keys, Texts).Sample(
            (a, key, c) =>
            {
                var source = new IdentitySource { Name = "identitySources/a", Type = "oidc", People = true, Oidc = new() { Issuer = "https://a", JwksInline = a, SubjectPrefix = c } };
                source.Oidc.RequiredClaims[key] = c;
                source.Oidc.Audiences.Add(a);
                AssertSame(source);
            },
            iter: 400);

    [Test]
    public void Never_prints_a_character_that_moves_a_terminal_or_hides_text() => Providers.Sample(
        provider => ManifestWriter.Write(provider).EnumerateRunes().All(rune => rune.Value is '\n' or '\t' || SafeText.IsPlain(rune)),
        iter: 400);

    private static void AssertSame(IMessage resource)
    {
        var yaml = ManifestWriter.Write(resource);
        var set = ManifestReader.Read(yaml, "m.yaml");
        // The broker refuses texts that are too long or of the wrong form; here only the notation matters.
        var unreadable = set.Errors.Where(e => !IsRule(e.Message)).ToArray();
        Assert.That(unreadable, Is.Empty, yaml);
        Assert.That(Comparison.Same(set.Manifests.Single().Resource, resource), Is.True, () => yaml + "\n" + set.Manifests.Single().Resource);
    }

    private static bool IsRule(string message) => message.Contains("At least", StringComparison.Ordinal) || message.Contains("match", StringComparison.Ordinal) || message.Contains("required", StringComparison.Ordinal);

    private static Struct Document(IEnumerable<(string Key, Value Value)> pairs)
    {
        var document = new Struct();
        foreach (var (key, value) in pairs) document.Fields[key] = value;
        return document;
    }
}

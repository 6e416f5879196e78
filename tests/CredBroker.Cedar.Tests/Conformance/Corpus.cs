using System.Diagnostics;

namespace CredBroker.Cedar.Tests.Conformance;

/// <summary>A corpus of cases with the answers that the official implementation gives.</summary>
/// <param name="Name">What is printed.</param>
/// <param name="Folder">Where it is unpacked.</param>
/// <param name="Cases">How many cases it must have.</param>
/// <param name="Requests">How many requests it must have.</param>
internal sealed record Corpus(string Name, Lazy<string> Folder, int Cases, int Requests)
{
    /// <summary>The part that is checked in, and the whole where it lies beside the checkout.</summary>
    public static IEnumerable<Corpus> Available()
    {
        var tests = TestContext.CurrentContext.TestDirectory;
        yield return new Corpus("the part that is checked in", new(Path.Combine(tests, "Corpus")), 52, 314);
        for (var at = new DirectoryInfo(tests); at is not null; at = at.Parent)
        {
            var archive = Path.Combine(at.FullName, "shared", "cedar-corpus", "cedar-tests.tar.xz");
            if (!File.Exists(archive))
                continue;
            yield return new Corpus("the whole", new(() => Unpack(archive)), 3_985, 31_778);
            yield break;
        }
    }

    public IEnumerable<CorpusCase> Read() => Directory.EnumerateFiles(Folder.Value, "*.json", SearchOption.AllDirectories)
        .Where(f => !f.EndsWith("ntities.json", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal)
        .Select(f => new CorpusCase(Folder.Value, f));

    public override string ToString() => Name;

    // The framework has no reader for xz; every system with the whole corpus (developers, CI) has tar.
    private static string Unpack(string archive)
    {
        var target = Directory.CreateTempSubdirectory("cedar-corpus-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(target, recursive: true);
        using var tar = Process.Start("tar", ["-xJf", archive, "-C", target]);
        tar.WaitForExit();
        Assert.That(tar.ExitCode, Is.Zero, $"tar could not unpack {archive}");
        return target;
    }
}

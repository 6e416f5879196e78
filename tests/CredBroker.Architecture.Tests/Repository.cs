using System.Xml.Linq;

namespace CredBroker.Architecture.Tests;

/// <summary>The repository as it is on disk: its project files are the compile graph (no project sees another's references).</summary>
internal static class Repository
{
    private static readonly string[] Built = ["bin", "obj", ".git"];

    public static string Root { get; } = Ancestors(TestContext.CurrentContext.TestDirectory).First(folder => File.Exists(Path.Combine(folder, "CredBroker.sln")));

    public static IReadOnlyList<Project> Projects { get; } = [.. Files("*.csproj").Select(Project.Read).OrderBy(project => project.Name, StringComparer.Ordinal)];

    /// <summary>Files of the working copy, nothing that was built, as paths from the root with forward slashes.</summary>
    public static IEnumerable<string> Files(string pattern) => Walk(Root, pattern).Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'));

    public static string ReadText(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static IEnumerable<string> Walk(string folder, string pattern) =>
        Directory.EnumerateFiles(folder, pattern).Concat(Directory.EnumerateDirectories(folder).Where(inner => !Built.Contains(Path.GetFileName(inner))).SelectMany(inner => Walk(inner, pattern)));

    private static IEnumerable<string> Ancestors(string folder)
    {
        for (var at = folder; at is not null; at = Path.GetDirectoryName(at)) yield return at;
    }
}

/// <summary>One project file.</summary>
/// <param name="Path">From the repository's root.</param>
/// <param name="Name">Without <c>CredBroker.</c>.</param>
/// <param name="References">The projects of ours that it compiles against, by name.</param>
/// <param name="Packages">Packages that reach what it ships.</param>
internal sealed record Project(string Path, string Name, IReadOnlyList<string> References, IReadOnlyList<string> Packages)
{
    /// <summary>The top folder: src, providers, tests, samples.</summary>
    public string Area => Path.Split('/')[0];

    /// <summary>The project's folder.</summary>
    public string Folder => Path[..Path.LastIndexOf('/')];

    public static Project Read(string path)
    {
        var xml = XDocument.Parse(Repository.ReadText(path));
        var references = xml.Descendants("ProjectReference")
            // Built before, but neither seen by the compiler nor shipped: the quickstart starts the server as a process.
            .Where(reference => (string?)reference.Attribute("ReferenceOutputAssembly") != "false")
            .Select(reference => NameOf((string)reference.Attribute("Include")!));
        var packages = xml.Descendants("PackageReference").Where(package => (string?)package.Attribute("PrivateAssets") != "all").Select(package => (string)package.Attribute("Include")!);
        return new Project(path, NameOf(path), [.. references], [.. packages]);
    }

    private static string NameOf(string path)
    {
        var name = System.IO.Path.GetFileNameWithoutExtension(path.Replace('\\', '/'));
        return name.StartsWith("CredBroker.", StringComparison.Ordinal) ? name["CredBroker.".Length..] : name;
    }
}

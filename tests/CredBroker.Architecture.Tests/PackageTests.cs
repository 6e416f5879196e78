namespace CredBroker.Architecture.Tests;

/// <summary>What is small stays small: the seam and the language depend on nothing, the domain on next to nothing.</summary>
internal sealed class PackageTests
{
    [TestCase("Abstractions")]
    [TestCase("Cedar")]
    [TestCase("Policies")]
    public void Takes_no_package(string name) => Assert.That(Find(name).Packages, Is.Empty);

    [Test]
    public void Core_takes_abstractions_and_jose_alone() =>
        Assert.That(Find("Core").Packages.Where(package => !IsAbstraction(package) && package != "Microsoft.IdentityModel.JsonWebTokens"), Is.Empty);

    [TestCase("Abstractions")]
    [TestCase("Cedar")]
    [TestCase("Policies")]
    [TestCase("Core")]
    public void Needs_no_web_framework(string name) =>
        Assert.That(Repository.ReadText(Find(name).Path), Does.Not.Contain("FrameworkReference").And.Not.Contain("Sdk.Web"));

    [Test]
    public void Test_tools_are_in_tests_alone()
    {
        string[] tools = ["NUnit", "CsCheck", "Microsoft.NET.Test.Sdk", "NUnit3TestAdapter", "BenchmarkDotNet", "Microsoft.Extensions.TimeProvider.Testing"];
        var wrong = Repository.Projects.Where(project => project.Area != "tests")
            // The conformance suite that provider authors run is made of NUnit tests.
            .SelectMany(project => project.Packages.Where(package => tools.Contains(package) && !(project.Name == "Testing" && package == "NUnit")).Select(package => $"{project.Name}: {package}"));
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Versions_are_in_one_place() =>
        Assert.That(Repository.Projects.Where(project => Repository.ReadText(project.Path).Contains(" Version=", StringComparison.Ordinal)).Select(project => project.Path), Is.Empty);

    private static bool IsAbstraction(string package) =>
        package.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal) && package.EndsWith(".Abstractions", StringComparison.Ordinal);

    private static Project Find(string name) => Repository.Projects.Single(project => project.Name == name);
}

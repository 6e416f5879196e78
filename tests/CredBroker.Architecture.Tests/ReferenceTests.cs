namespace CredBroker.Architecture.Tests;

/// <summary>Who may know whom. A change of this table is a decision: write it down in docs/decisions.</summary>
internal sealed class ReferenceTests
{
    private static readonly Row[] Table =
    [
        new("Abstractions", []),
        new("Cedar", []),
        new("Contracts", []),
        new("Policies", ["Abstractions", "Cedar"]),
        new("Core", ["Abstractions", "Cedar", "Policies"]),
        new("Manifests", ["Contracts"]),
        new("Client", ["Contracts"]),
        new("Providers.*", ["Abstractions"]),
        new("Testing", ["Abstractions"]),
        new("EntityFrameworkCore", ["Core", "Abstractions"]),
        new("Quartz", ["Core", "Abstractions"]),
        new("AspNetCore", ["Core", "Abstractions", "Contracts"]),
        // Never Core: else a command could go round policy and audit. Policies asks policy, and can do nothing with the answer.
        new("Cli", ["Contracts", "Client", "Manifests", "Cedar", "Policies"]),
        new("Server", ["*"]),
    ];

    /// <summary>What the table does not have, and why.</summary>
    private static readonly Exception[] Exceptions =
    [
        new("Quickstart", "DevIdentity", "a sample that starts another one: nothing of the broker's"),
    ];

    [Test]
    public void Every_project_has_a_row_and_keeps_to_it()
    {
        var wrong = Repository.Projects.Where(project => project.Area is "src" or "providers").SelectMany(WrongIn).ToList();
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Every_row_has_a_project() =>
        Assert.That(Table.Where(row => !Repository.Projects.Any(row.IsFor)).Select(row => row.Project), Is.Empty);

    [Test]
    public void Samples_know_only_what_users_get()
    {
        var wrong = Repository.Projects.Where(project => project.Area == "samples")
            .SelectMany(project => project.References.Where(reference => reference is not ("Client" or "Contracts") && !IsExcepted(project, reference)).Select(reference => $"{project.Name} → {reference}"));
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Exceptions_are_used_and_carry_a_reason()
    {
        Assert.That(Exceptions.Where(exception => exception.Reason.Length < 10), Is.Empty);
        var unused = Exceptions.Where(exception => !Repository.Projects.Any(project => project.Name == exception.Project && project.References.Contains(exception.Reference)));
        Assert.That(unused, Is.Empty, "an exception that nobody needs is removed");
    }

    [Test]
    public void Nothing_that_is_shipped_knows_tests_or_samples()
    {
        var ours = Repository.Projects.Where(project => project.Area is "tests" or "samples").Select(project => project.Name).ToHashSet();
        Assert.That(Repository.Projects.Where(project => project.Area is "src" or "providers").SelectMany(project => project.References).Where(ours.Contains), Is.Empty);
    }

    [Test]
    public void The_compile_graph_is_what_the_project_files_say() =>
        Assert.That(Repository.ReadText("Directory.Build.props"), Does.Contain("<DisableTransitiveProjectReferences>true</DisableTransitiveProjectReferences>"));

    [Test]
    public void Every_project_is_in_the_solution()
    {
        var solution = Repository.ReadText("CredBroker.sln").Replace('\\', '/');
        Assert.That(Repository.Projects.Where(project => !solution.Contains($"\"{project.Path}\"", StringComparison.Ordinal)).Select(project => project.Path), Is.Empty);
    }

    private static IEnumerable<string> WrongIn(Project project)
    {
        if (Table.FirstOrDefault(row => row.IsFor(project)) is not { } row) return [$"{project.Name} has no row"];
        if (row.MayReference is ["*"]) return [];
        return project.References.Where(reference => !row.MayReference.Contains(reference) && !IsExcepted(project, reference)).Select(reference => $"{project.Name} → {reference}");
    }

    private static bool IsExcepted(Project project, string reference) =>
        Exceptions.Any(exception => exception.Project == project.Name && exception.Reference == reference);

    private sealed record Row(string Project, string[] MayReference)
    {
        public bool IsFor(Project project) =>
            Project.EndsWith(".*", StringComparison.Ordinal) ? project.Name.StartsWith(Project[..^1], StringComparison.Ordinal) : project.Name == Project;
    }

    private sealed record Exception(string Project, string Reference, string Reason);
}

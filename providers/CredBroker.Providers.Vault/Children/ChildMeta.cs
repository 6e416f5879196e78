using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Client;

namespace CredBroker.Providers.Vault.Children;

/// <summary>What a child token carries, so that it is found by name and the target's own audit log joins the broker's.</summary>
internal static class ChildMeta
{
    private const string Name = "credbroker_name";
    private const string Mark = "credbroker_mark";
    private const string Path = "credbroker_path";

    public static Dictionary<string, string> For(IssueRequest request, string? path)
    {
        var meta = new Dictionary<string, string>
        {
            [Name] = request.ExternalName,
            [Mark] = request.Mark,
            ["credbroker_task"] = request.TaskId.ToString(),
            ["credbroker_lease"] = request.LeaseId.ToString(),
        };
        if (path is not null) meta[Path] = path;
        return meta;
    }

    /// <summary>The external name that a token has, or claims: the display name is what anybody can give who may create tokens.</summary>
    public static string? NameOf(VaultTokenState token) =>
        token.Meta?.GetValueOrDefault(Name) ?? (token.DisplayName is { } display && display.StartsWith("token-", StringComparison.Ordinal) ? display["token-".Length..] : null);

    public static string? MarkOf(VaultTokenState token) => token.Meta?.GetValueOrDefault(Mark);

    public static string? PathOf(VaultTokenState token) => token.Meta?.GetValueOrDefault(Path) is { } path && Names.IsPath(path) ? path : null;
}

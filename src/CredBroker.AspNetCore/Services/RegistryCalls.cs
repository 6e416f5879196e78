using CredBroker.Abstractions;
using CredBroker.AspNetCore.Errors;
using CredBroker.AspNetCore.Mapping;
using CredBroker.AspNetCore.Masks;
using CredBroker.AspNetCore.Paging;
using CredBroker.Core;
using CredBroker.Core.Registry;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CredBroker.AspNetCore.Services;

/// <summary>The five standard methods of an administered resource, the same for every kind.</summary>
internal sealed class RegistryCalls<TSpec, TProto>(RegistryService registry, Catalog catalog, RegistryReaders readers, PageTokens pages, ResourceMapping<TSpec, TProto> mapping)
    where TSpec : class
    where TProto : class, IMessage<TProto>, IDeepCloneable<TProto>
{
    public async Task<TProto> CreateAsync(string id, string parent, TProto resource, bool validateOnly, bool reuseName, ServerCallContext context, long expectRevoked = 0)
    {
        var above = ParentOf(parent);
        var name = mapping.Type.NameOf(id, above);
        var given = TextOf(resource, "name");
        if (given.Length > 0 && given != name) throw Violation($"{mapping.Field}.name", $"It is {name}, or left out.", context);
        var options = new ChangeOptions { ValidateOnly = validateOnly, ReuseName = reuseName, ExpectedRevocations = expectRevoked };
        var created = await registry.CreateAsync(AuthorOf(context), mapping.Type, id, above, mapping.ToSpec(resource), options, context.CancellationToken);
        return Show(OrThrow(created, context, name), above);
    }

    public async Task<TProto> GetAsync(string name, ServerCallContext context)
    {
        await catalog.RefreshAsync(context.CancellationToken);
        var (id, above) = Parse(name);
        var found = Find(id, above);
        if (found is null || !readers.MayRead(context.Caller(), mapping.Type, id, above)) throw ErrorStatus.Exception(ErrorStatus.Missing(name));
        return Show(found, above);
    }

    public async Task<(IReadOnlyList<TProto> Items, string Next)> ListAsync(string parent, int size, string token, ServerCallContext context)
    {
        var snapshot = await catalog.RefreshAsync(context.CancellationToken);
        var caller = context.Caller();
        var list = $"{mapping.Type.Collection}|{parent}|{caller.Workload.Uid}";
        var page = pages.Read(list, size, token);
        var above = ParentOf(parent);
        Uid? parentUid = above is null ? null : snapshot.Providers.GetValueOrDefault(above)?.Uid ?? throw ErrorStatus.Exception(ErrorStatus.Missing(parent));
        var items = snapshot.Entries
            .Where(entry => entry.Kind == mapping.Type.Kind && entry.ParentUid == parentUid && (page.After is null || string.CompareOrdinal(entry.Name, page.After) > 0))
            .OrderBy(entry => entry.Name, StringComparer.Ordinal)
            .Where(entry => readers.MayRead(caller, mapping.Type, entry.Name, above))
            .Take(page.Size + 1)
            .ToList();
        var shown = items.Take(page.Size).Select(entry => Show(new Registered<TSpec>(entry, SpecJson.Read<TSpec>(entry.SpecJson)), above)).ToList();
        return (shown, pages.Write(list, items.Count > page.Size ? items[page.Size - 1].Name : null));
    }

    public async Task<TProto> UpdateAsync(TProto change, FieldMask? mask, bool validateOnly, ServerCallContext context, long expectRevoked = 0)
    {
        var name = TextOf(change, "name");
        var (id, above) = Parse(name);
        var author = AuthorOf(context);
        if (registry.Refusal(author, mapping.Type, id, above) is { } refusal) throw Calls.Refusal(refusal, context);
        await catalog.RefreshAsync(context.CancellationToken);
        var found = Find(id, above) ?? throw ErrorStatus.Exception(ErrorStatus.Missing(name));
        var next = UpdateMasks.Apply(Show(found, above), change, mask);
        // Without an etag, what was just read is what is changed: the mask was applied to that.
        var options = new ChangeOptions { ExpectedVersion = VersionOf(TextOf(change, "etag"), found.Entry) ?? found.Entry.Version, ValidateOnly = validateOnly, ExpectedRevocations = expectRevoked };
        var updated = await registry.UpdateAsync(author, mapping.Type, id, above, mapping.ToSpec(next), options, context.CancellationToken);
        return Show(OrThrow(updated, context, name), above);
    }

    public async Task<Empty> DeleteAsync(string name, string etag, bool force, ServerCallContext context, long expectRevoked = 0)
    {
        var (id, above) = Parse(name);
        await catalog.RefreshAsync(context.CancellationToken);
        var expected = Find(id, above) is { } found ? VersionOf(etag, found.Entry) : null;
        var options = new ChangeOptions { ExpectedVersion = expected, Force = force, ExpectedRevocations = expectRevoked };
        OrThrow(await registry.DeleteAsync(AuthorOf(context), mapping.Type, id, above, options, context.CancellationToken), context, name);
        return new Empty();
    }

    /// <summary>The value, or the refusal with its fields called as the request calls them.</summary>
    public T OrThrow<T>(Result<T> result, ServerCallContext context, string name) => result.Match(
        value => value,
        error => throw Calls.Refusal(error with { Violations = [.. error.Violations.Select(v => v with { Path = $"{mapping.Field}.{FieldPaths.ToProto(v.Path)}" })] }, context, name));

    /// <summary>The resource as the contract shows it.</summary>
    public TProto Show(Registered<TSpec> registered, string? above) => mapping.ToProto(registered).WithEntry(mapping.Type.NameOf(registered.Name, above), registered.Entry);

    public static RegistryAuthor AuthorOf(ServerCallContext context) => RegistryAuthor.Of(context.Caller());

    /// <summary>The version that an etag stands for; 0, which nothing has, for one of another resource.</summary>
    public static long? VersionOf(string etag, RegistryEntry entry) => etag.Length == 0 ? null : etag == Administered.EtagOf(entry) ? entry.Version : 0;

    private Registered<TSpec>? Find(string id, string? above)
    {
        var snapshot = catalog.Current;
        Uid? parent = null;
        if (above is not null)
        {
            if (!snapshot.Providers.TryGetValue(above, out var provider)) return null;
            parent = provider.Uid;
        }

        return snapshot.Find(mapping.Type.Kind, id, parent) is { } entry ? new Registered<TSpec>(entry, SpecJson.Read<TSpec>(entry.SpecJson)) : null;
    }

    private static (string Id, string? Above) Parse(string name) => name.Split('/') is [_, var above, _, var id] ? (id, above) : (name.Split('/')[1], null);

    private static string? ParentOf(string parent) => parent.Length == 0 ? null : parent.Split('/')[1];

    private static string TextOf(TProto resource, string field) => (string)resource.Descriptor.FindFieldByName(field).Accessor.GetValue(resource);

    private static RpcException Violation(string path, string message, ServerCallContext context) =>
        Calls.Refusal(new BrokerError(Reasons.FieldsInvalid, message) { Violations = [new ValidationError(path, message)] }, context);
}

using CredBroker.AspNetCore.Errors;
using CredBroker.AspNetCore.Mapping;
using CredBroker.AspNetCore.Paging;
using CredBroker.Contracts.V1;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using DomainTypes = CredBroker.Core.Providers.ProviderTypes;
using TargetIdentities = CredBroker.Core.Providers.TargetIdentities;

namespace CredBroker.AspNetCore.Services;

/// <summary>The service of providers.</summary>
internal sealed class ProvidersApi(RegistryService registry, Catalog catalog, RegistryReaders readers, TargetIdentities targets, PageTokens pages) : Providers.ProvidersBase
{
    private readonly RegistryCalls<ProviderSpec, Provider> _calls = new(registry, catalog, readers, pages, ProviderMapping.Providers);

    public override Task<Provider> CreateProvider(CreateProviderRequest request, ServerCallContext context) =>
        _calls.CreateAsync(request.ProviderId, "", request.Provider, request.ValidateOnly, request.ReuseName, context);

    public override Task<Provider> GetProvider(GetProviderRequest request, ServerCallContext context) => _calls.GetAsync(request.Name, context);

    public override async Task<ListProvidersResponse> ListProviders(ListProvidersRequest request, ServerCallContext context)
    {
        var (items, next) = await _calls.ListAsync("", request.PageSize, request.PageToken, context);
        return new ListProvidersResponse { Providers = { items }, NextPageToken = next };
    }

    public override Task<Provider> UpdateProvider(UpdateProviderRequest request, ServerCallContext context) =>
        _calls.UpdateAsync(request.Provider, request.UpdateMask, request.ValidateOnly, context);

    public override Task<Empty> DeleteProvider(DeleteProviderRequest request, ServerCallContext context) => _calls.DeleteAsync(request.Name, request.Etag, request.Force, context);

    public override async Task<CheckProviderResponse> CheckProvider(CheckProviderRequest request, ServerCallContext context)
    {
        await catalog.RefreshAsync(context.CancellationToken);
        return (await registry.CheckAsync(RegistryAuthor.Of(context.Caller()), request.Name.Split('/')[1], context.CancellationToken)).OrThrow(context, request.Name).ToProto();
    }

    public override async Task<Provider> AcceptProviderIdentity(AcceptProviderIdentityRequest request, ServerCallContext context)
    {
        var name = request.Name.Split('/')[1];
        var snapshot = await catalog.RefreshAsync(context.CancellationToken);
        var version = snapshot.Providers.TryGetValue(name, out var provider) ? RegistryCalls<ProviderSpec, Provider>.VersionOf(request.Etag, provider.Entry) : null;
        var accepted = await registry.AcceptIdentityAsync(
            RegistryAuthor.Of(context.Caller()), targets, name, request.TargetIdentity, request.Reason, version, context.CancellationToken);
        return _calls.Show(_calls.OrThrow(accepted, context, request.Name), above: null);
    }
}

/// <summary>The service of roles.</summary>
internal sealed class RolesApi(RegistryService registry, ObtainableRoles obtainable, Catalog catalog, RegistryReaders readers, DomainTypes types, PageTokens pages) : Roles.RolesBase
{
    private readonly RegistryCalls<RoleSpec, Role> _calls = new(registry, catalog, readers, pages, ProviderMapping.RolesOf(catalog, types));

    public override Task<Role> CreateRole(CreateRoleRequest request, ServerCallContext context) =>
        _calls.CreateAsync(request.RoleId, request.Parent, request.Role, request.ValidateOnly, request.ReuseName, context);

    public override Task<Role> GetRole(GetRoleRequest request, ServerCallContext context) => _calls.GetAsync(request.Name, context);

    public override async Task<ListRolesResponse> ListRoles(ListRolesRequest request, ServerCallContext context)
    {
        var (items, next) = await _calls.ListAsync(request.Parent, request.PageSize, request.PageToken, context);
        return new ListRolesResponse { Roles = { items }, NextPageToken = next };
    }

    public override Task<Role> UpdateRole(UpdateRoleRequest request, ServerCallContext context) => _calls.UpdateAsync(request.Role, request.UpdateMask, request.ValidateOnly, context);

    public override Task<Empty> DeleteRole(DeleteRoleRequest request, ServerCallContext context) => _calls.DeleteAsync(request.Name, request.Etag, force: false, context);

    public override async Task<ListMyRolesResponse> ListMyRoles(ListMyRolesRequest request, ServerCallContext context)
    {
        await catalog.RefreshAsync(context.CancellationToken);
        var caller = context.Caller();
        var list = $"roles:mine|{caller.Workload.Uid}";
        var found = obtainable.List(caller, pages.Read(list, request.PageSize, request.PageToken));
        return new ListMyRolesResponse { Roles = { found.Items.Select(role => role.ToProto()) }, NextPageToken = pages.Write(list, found.Next) };
    }
}

/// <summary>The service of provider types: they are no secret.</summary>
internal sealed class ProviderTypesApi(DomainTypes types, PageTokens pages) : ProviderTypes.ProviderTypesBase
{
    private const string List = "providerTypes";

    public override Task<ProviderType> GetProviderType(GetProviderTypeRequest request, ServerCallContext context) =>
        Task.FromResult(types.Find(request.Name.Split('/')[1])?.ToProto() ?? throw ErrorStatus.Exception(ErrorStatus.Missing(request.Name)));

    public override Task<ListProviderTypesResponse> ListProviderTypes(ListProviderTypesRequest request, ServerCallContext context)
    {
        var page = pages.Read(List, request.PageSize, request.PageToken);
        var items = types.All.Where(type => page.After is null || string.CompareOrdinal(type.Name, page.After) > 0).Take(page.Size + 1).ToList();
        return Task.FromResult(new ListProviderTypesResponse
        {
            ProviderTypes = { items.Take(page.Size).Select(type => type.ToProto()) },
            NextPageToken = pages.Write(List, items.Count > page.Size ? items[page.Size - 1].Name : null),
        });
    }
}

using System.Security.Cryptography;
using System.Text;
using CredBroker.AspNetCore.Mapping;
using CredBroker.AspNetCore.Paging;
using CredBroker.Contracts;
using CredBroker.Contracts.V1;
using CredBroker.Core.Identity;
using CredBroker.Core.Reevaluation;
using CredBroker.Core.Registry;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CredBroker.AspNetCore.Services;

/// <summary>The service of identity sources.</summary>
internal sealed class IdentitySourcesApi(RegistryService registry, Catalog catalog, RegistryReaders readers, PageTokens pages) : IdentitySources.IdentitySourcesBase
{
    private readonly RegistryCalls<IdentitySourceSpec, IdentitySource> _calls = new(registry, catalog, readers, pages, SourceMapping.IdentitySources);

    public override Task<IdentitySource> CreateIdentitySource(CreateIdentitySourceRequest request, ServerCallContext context) =>
        _calls.CreateAsync(request.IdentitySourceId, "", request.IdentitySource, request.ValidateOnly, request.ReuseName, context);

    public override Task<IdentitySource> GetIdentitySource(GetIdentitySourceRequest request, ServerCallContext context) => _calls.GetAsync(request.Name, context);

    public override async Task<ListIdentitySourcesResponse> ListIdentitySources(ListIdentitySourcesRequest request, ServerCallContext context)
    {
        var (items, next) = await _calls.ListAsync("", request.PageSize, request.PageToken, context);
        return new ListIdentitySourcesResponse { IdentitySources = { items }, NextPageToken = next };
    }

    public override Task<IdentitySource> UpdateIdentitySource(UpdateIdentitySourceRequest request, ServerCallContext context) =>
        _calls.UpdateAsync(request.IdentitySource, request.UpdateMask, request.ValidateOnly, context);

    public override Task<Empty> DeleteIdentitySource(DeleteIdentitySourceRequest request, ServerCallContext context) => _calls.DeleteAsync(request.Name, request.Etag, force: false, context);
}

/// <summary>The service of hooks.</summary>
internal sealed class HooksApi(RegistryService registry, Catalog catalog, RegistryReaders readers, PageTokens pages) : Hooks.HooksBase
{
    private readonly RegistryCalls<HookSpec, Hook> _calls = new(registry, catalog, readers, pages, RuleMapping.Hooks);

    public override Task<Hook> CreateHook(CreateHookRequest request, ServerCallContext context) =>
        _calls.CreateAsync(request.HookId, "", request.Hook, request.ValidateOnly, request.ReuseName, context);

    public override Task<Hook> GetHook(GetHookRequest request, ServerCallContext context) => _calls.GetAsync(request.Name, context);

    public override async Task<ListHooksResponse> ListHooks(ListHooksRequest request, ServerCallContext context)
    {
        var (items, next) = await _calls.ListAsync("", request.PageSize, request.PageToken, context);
        return new ListHooksResponse { Hooks = { items }, NextPageToken = next };
    }

    public override Task<Hook> UpdateHook(UpdateHookRequest request, ServerCallContext context) => _calls.UpdateAsync(request.Hook, request.UpdateMask, request.ValidateOnly, context);

    public override Task<Empty> DeleteHook(DeleteHookRequest request, ServerCallContext context) => _calls.DeleteAsync(request.Name, request.Etag, force: false, context);
}

/// <summary>The service of policy sets.</summary>
internal sealed class PolicySetsApi(RegistryService registry, PolicyActivation activation, Catalog catalog, RegistryReaders readers, PageTokens pages) : PolicySets.PolicySetsBase
{
    private static readonly string Schema = BrokerSchema.ReadText();
    private readonly RegistryCalls<PolicySetSpec, PolicySet> _calls = new(registry, catalog, readers, pages, RuleMapping.PolicySets);

    public override Task<PolicySet> CreatePolicySet(CreatePolicySetRequest request, ServerCallContext context) =>
        _calls.CreateAsync(request.PolicySetId, "", request.PolicySet, request.ValidateOnly, request.ReuseName, context, request.ExpectRevoked);

    public override Task<PolicySet> GetPolicySet(GetPolicySetRequest request, ServerCallContext context) => _calls.GetAsync(request.Name, context);

    public override async Task<ListPolicySetsResponse> ListPolicySets(ListPolicySetsRequest request, ServerCallContext context)
    {
        var (items, next) = await _calls.ListAsync("", request.PageSize, request.PageToken, context);
        return new ListPolicySetsResponse { PolicySets = { items }, NextPageToken = next };
    }

    public override Task<PolicySet> UpdatePolicySet(UpdatePolicySetRequest request, ServerCallContext context) =>
        _calls.UpdateAsync(request.PolicySet, request.UpdateMask, request.ValidateOnly, context, request.ExpectRevoked);

    public override Task<Empty> DeletePolicySet(DeletePolicySetRequest request, ServerCallContext context) => _calls.DeleteAsync(request.Name, request.Etag, force: false, context, request.ExpectRevoked);

    public override async Task<PolicySetPreview> PreviewPolicySet(PreviewPolicySetRequest request, ServerCallContext context)
    {
        var snapshot = await catalog.RefreshAsync(context.CancellationToken);
        var name = request.Name.Split('/')[1];
        var next = request.PolicySet is { } set ? RuleMapping.PolicySets.ToSpec(set) : null;
        if (registry.WrongOfPreview(RegistryAuthor.Of(context.Caller()), snapshot, name, next) is { } error) throw Calls.Refusal(error, context, request.Name);
        var impact = await activation.PreviewAsync(snapshot, name, next, context.CancellationToken);
        return new PolicySetPreview
        {
            Examined = impact.Examined,
            Revoked = impact.Revoked,
            Unclear = impact.Unclear,
            Complete = impact.IsComplete,
            Leases = { impact.Leases.Select(lease => LeaseMapping.NameOf(lease.Task.ToString(), lease.Lease.ToString())) },
        };
    }

    // No secret: it comes with every broker of this version.
    public override Task<PolicySchema> GetPolicySchema(GetPolicySchemaRequest request, ServerCallContext context) =>
        Task.FromResult(new PolicySchema { Text = Schema, Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Schema))) });
}

using CredBroker.Contracts.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CredBroker.Cli.Tests.Fakes;

internal sealed class FakeIdentitySources(FakeState state) : IdentitySources.IdentitySourcesBase
{
    public override Task<IdentitySource> CreateIdentitySource(CreateIdentitySourceRequest r, ServerCallContext c) => FakeRegistry.CreateAsync(state, r, c, $"identitySources/{r.IdentitySourceId}", r.IdentitySource);

    public override Task<IdentitySource> GetIdentitySource(GetIdentitySourceRequest r, ServerCallContext c) => FakeRegistry.GetAsync<IdentitySource>(state, r, c, r.Name);

    public override Task<ListIdentitySourcesResponse> ListIdentitySources(ListIdentitySourcesRequest r, ServerCallContext c) =>
        FakeRegistry.ListAsync<IdentitySource, ListIdentitySourcesResponse>(state, r, c, "identitySources/", (page, items) => page.IdentitySources.AddRange(items));

    public override Task<IdentitySource> UpdateIdentitySource(UpdateIdentitySourceRequest r, ServerCallContext c) => FakeRegistry.UpdateAsync(state, r, c, r.IdentitySource.Name, r.IdentitySource, r.IdentitySource.Etag, r.UpdateMask);

    public override Task<Empty> DeleteIdentitySource(DeleteIdentitySourceRequest r, ServerCallContext c) => FakeRegistry.DeleteAsync(state, r, c, r.Name);
}

internal sealed class FakeProviders(FakeState state) : Providers.ProvidersBase
{
    public override Task<Provider> CreateProvider(CreateProviderRequest r, ServerCallContext c) => FakeRegistry.CreateAsync(state, r, c, $"providers/{r.ProviderId}", r.Provider);

    public override Task<Provider> GetProvider(GetProviderRequest r, ServerCallContext c) => FakeRegistry.GetAsync<Provider>(state, r, c, r.Name);

    public override Task<ListProvidersResponse> ListProviders(ListProvidersRequest r, ServerCallContext c) =>
        FakeRegistry.ListAsync<Provider, ListProvidersResponse>(state, r, c, "providers/", (page, items) => page.Providers.AddRange(items));

    public override Task<Provider> UpdateProvider(UpdateProviderRequest r, ServerCallContext c) => FakeRegistry.UpdateAsync(state, r, c, r.Provider.Name, r.Provider, r.Provider.Etag, r.UpdateMask);

    public override Task<Empty> DeleteProvider(DeleteProviderRequest r, ServerCallContext c) => FakeRegistry.DeleteAsync(state, r, c, r.Name);

    public override Task<CheckProviderResponse> CheckProvider(CheckProviderRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () => state.Check);
}

internal sealed class FakeHooks(FakeState state) : Hooks.HooksBase
{
    public override Task<Hook> CreateHook(CreateHookRequest r, ServerCallContext c) => FakeRegistry.CreateAsync(state, r, c, $"hooks/{r.HookId}", r.Hook);

    public override Task<Hook> GetHook(GetHookRequest r, ServerCallContext c) => FakeRegistry.GetAsync<Hook>(state, r, c, r.Name);

    public override Task<ListHooksResponse> ListHooks(ListHooksRequest r, ServerCallContext c) =>
        FakeRegistry.ListAsync<Hook, ListHooksResponse>(state, r, c, "hooks/", (page, items) => page.Hooks.AddRange(items));

    public override Task<Hook> UpdateHook(UpdateHookRequest r, ServerCallContext c) => FakeRegistry.UpdateAsync(state, r, c, r.Hook.Name, r.Hook, r.Hook.Etag, r.UpdateMask);

    public override Task<Empty> DeleteHook(DeleteHookRequest r, ServerCallContext c) => FakeRegistry.DeleteAsync(state, r, c, r.Name);
}

internal sealed class FakePolicySets(FakeState state) : PolicySets.PolicySetsBase
{
    public override Task<PolicySet> CreatePolicySet(CreatePolicySetRequest r, ServerCallContext c) => FakeRegistry.CreateAsync(state, r, c, $"policySets/{r.PolicySetId}", r.PolicySet);

    public override Task<PolicySet> GetPolicySet(GetPolicySetRequest r, ServerCallContext c) => FakeRegistry.GetAsync<PolicySet>(state, r, c, r.Name);

    public override Task<ListPolicySetsResponse> ListPolicySets(ListPolicySetsRequest r, ServerCallContext c) =>
        FakeRegistry.ListAsync<PolicySet, ListPolicySetsResponse>(state, r, c, "policySets/", (page, items) => page.PolicySets.AddRange(items));

    public override Task<PolicySet> UpdatePolicySet(UpdatePolicySetRequest r, ServerCallContext c) => FakeRegistry.UpdateAsync(state, r, c, r.PolicySet.Name, r.PolicySet, r.PolicySet.Etag, r.UpdateMask);

    public override Task<Empty> DeletePolicySet(DeletePolicySetRequest r, ServerCallContext c) => FakeRegistry.DeleteAsync(state, r, c, r.Name);

    public override Task<PolicySetPreview> PreviewPolicySet(PreviewPolicySetRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () => state.Preview);

    public override Task<PolicySchema> GetPolicySchema(GetPolicySchemaRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () => new PolicySchema { Text = "entity Installation;\n" });
}

internal sealed class FakeRoles(FakeState state) : Roles.RolesBase
{
    public override Task<Role> CreateRole(CreateRoleRequest r, ServerCallContext c) => FakeRegistry.CreateAsync(state, r, c, $"{r.Parent}/roles/{r.RoleId}", r.Role);

    public override Task<Role> GetRole(GetRoleRequest r, ServerCallContext c) => FakeRegistry.GetAsync<Role>(state, r, c, r.Name);

    public override Task<ListRolesResponse> ListRoles(ListRolesRequest r, ServerCallContext c) =>
        FakeRegistry.ListAsync<Role, ListRolesResponse>(state, r, c, $"{r.Parent}/roles/", (page, items) => page.Roles.AddRange(items));

    public override Task<Role> UpdateRole(UpdateRoleRequest r, ServerCallContext c) => FakeRegistry.UpdateAsync(state, r, c, r.Role.Name, r.Role, r.Role.Etag, r.UpdateMask);

    public override Task<Empty> DeleteRole(DeleteRoleRequest r, ServerCallContext c) => FakeRegistry.DeleteAsync(state, r, c, r.Name);

    public override Task<ListMyRolesResponse> ListMyRoles(ListMyRolesRequest r, ServerCallContext c) => state.AnswerAsync(
        r, c, () => new ListMyRolesResponse { Roles = { new MyRole { Role = "providers/books/roles/reader", Answer = MyRole.Types.Answer.Depends, Kind = "login" } } });
}

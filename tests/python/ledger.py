# SPDX-License-Identifier: GPL-2.0-only
"""Who owns which page: a small bookkeeping of its own, to hold KCore against.

It knows pages, mappings, VMs and SMMU banks, in dicts, and what each hypercall is to do with them.
It knows no locks, no descriptors, no tables and no code of the library. Each operation says whether
KCore is to halt (True) or not, and has changed the books only if not.

Facts, by key:
    ("page", pfn)               (owner, shares, gfn)
    ("map", vmid, gfn)          (pfn, level), or None where nothing is mapped
    ("bank", index, cbndx)      the owner
    ("iova", index, cbndx, gfn) the pfn that a device reaches, or None
    ("vm", vmid), ("vcpu", vmid, vcpuid)    their states
    ("vmids",)                  the number of the next VM
    ("started", vmid, vcpuid)   the vCPU ran before
"""

PAGE = 0x1000
BLOCK = 512


class Ledger:
    """The books of one machine."""

    def __init__(self, constants, banks=8):
        self.k = constants
        self.banks = banks
        self.facts = {("vmids",): 1}
        self.images = {}
        self.remap = constants.REMAP_START
        self.touched = set()
        self.noted_pages = set()  # those to which something happened

    # --- Facts ---

    def __getitem__(self, key):
        return self.facts.get(key, self.default(key))

    def default(self, key):
        """What holds where nothing happened yet."""
        if key[0] == "page":
            return self.k.INVALID, 0, self.k.INVALID64
        return {"bank": self.k.INVALID, "vm": self.k.UNUSED, "vcpu": self.k.UNUSED}.get(key[0])

    def put(self, key, value):
        self.facts[key] = value
        self.touched.add(key)
        if key[0] == "page":
            self.noted_pages.add(key)

    def page(self, pfn, owner=None, shares=None, gfn=None):
        """Change what is said of a page; pages in no region have no record."""
        old = self["page", pfn]
        if old[0] == self.k.INVALID:
            return
        new = (owner, shares, gfn)
        self.put(("page", pfn), tuple(o if n is None else n for o, n in zip(old, new)))

    def add_memory(self, first, count):
        for pfn in range(first, first + count):
            self.facts["page", pfn] = (self.k.HOSTVISOR, 0, self.home(pfn))

    def home(self, pfn):
        """The gfn of a page of the host."""
        return pfn + self.k.SMMU_HOST_OFFSET

    def clearly(self, operation):
        """Do it all, or nothing if it is to halt."""
        facts, touched, images, remap = (
            dict(self.facts), set(self.touched), {v: [dict(i) for i in l] for v, l in
                                                  self.images.items()}, self.remap
        )
        halts = operation()
        if halts:
            self.facts, self.touched, self.images, self.remap = facts, touched, images, remap
        return bool(halts)

    # --- Pages ---

    def unmap_host(self, pfn):
        if self["map", 0, pfn] is not None:
            self.put(("map", 0, pfn), None)

    def host_fault(self, pfn):
        owner, shares, _ = self["page", pfn]
        if owner not in (self.k.INVALID, self.k.HOSTVISOR) and shares == 0:
            return True
        self.put(("map", 0, pfn), (pfn, 3))
        return False

    def assign(self, vmid, gfn, pfn):
        """A page becomes the VM's at gfn, or is so already."""
        owner, shares, at = self["page", pfn]
        if owner == self.k.HOSTVISOR and shares == 0:
            self.page(pfn, owner=vmid, gfn=gfn)
            self.unmap_host(pfn)
            return False
        if owner != vmid or at not in (gfn, self.k.INVALID64):
            return True
        self.page(pfn, gfn=gfn, shares=0 if shares == self.k.INVALID else None)
        return False

    def map_vm(self, vmid, gfn, pfn):
        there = self["map", vmid, gfn]
        if there and there[1] == 2:
            return True
        self.put(("map", vmid, gfn), (pfn, 3))
        return False

    def populate(self, vmid, gfn, pfn):
        return self.clearly(lambda: self.assign(vmid, gfn, pfn) or self.map_vm(vmid, gfn, pfn))

    def populate_block(self, vmid, gfn, pfn):
        def operation():
            for i in range(BLOCK):
                if self.assign(vmid, gfn + i, pfn + i):
                    return True
            for i in range(BLOCK):
                self.put(("map", vmid, gfn + i), (pfn + i, 2))
            return False

        return self.clearly(operation)

    def shared_pages(self, vmid, gfn, count):
        mapped = (self["map", vmid, gfn + i] for i in range(count))
        return [entry[0] for entry in mapped if entry]

    def grant(self, vmid, gfn, count):
        for pfn in self.shared_pages(vmid, gfn, count):
            owner, shares, _ = self["page", pfn]
            if owner == vmid and shares < self.k.MAX_SHARE_COUNT:
                self.page(pfn, shares=shares + 1)
        return False

    def revoke(self, vmid, gfn, count):
        for pfn in self.shared_pages(vmid, gfn, count):
            owner, shares, _ = self["page", pfn]
            if owner != vmid or shares == 0:
                continue
            self.page(pfn, shares=shares - 1)
            if shares == 1:
                self.unmap_host(pfn)
        return False

    def clear_range(self, vmid, pfn, count):
        if self["vm", vmid] != self.k.POWEROFF:
            return False
        for page in range(pfn, pfn + count):
            if self["page", page][0] == vmid:
                self.page(page, owner=self.k.HOSTVISOR, shares=0, gfn=self.home(page))
        return False

    # --- Lives of VMs ---

    def register_kvm(self):
        vmid = self["vmids",]
        if vmid >= self.k.COREVISOR or self["vm", vmid] != self.k.UNUSED:
            return True
        self.put(("vmids",), vmid + 1)
        self.put(("vm", vmid), self.k.READY)
        self.images[vmid] = []
        return False

    def is_ready(self, vmid):
        return self["vm", vmid] == self.k.READY

    def register_vcpu(self, vmid, vcpuid):
        if not self.is_ready(vmid) or self["vcpu", vmid, vcpuid] != self.k.UNUSED:
            return True
        self.put(("vcpu", vmid, vcpuid), self.k.READY)
        return False

    def set_boot_info(self, vmid, gfn, pages):
        if not self.is_ready(vmid):
            return True
        if len(self.images[vmid]) == self.k.MAX_LOAD_INFO_NUM:
            return False
        if self.remap + pages * PAGE >= self.k.REMAP_END:
            return True
        self.remap += pages * PAGE
        self.images[vmid].append({"gfn": gfn, "pages": pages, "first": None, "mapped": 0})
        return False

    def remap_image(self, vmid, pfn, number):
        if number >= self.k.MAX_LOAD_INFO_NUM or not self.is_ready(vmid):
            return True
        if number < len(self.images[vmid]):
            image = self.images[vmid][number]
            if image["mapped"] < image["pages"]:
                image["mapped"] += 1
                image["first"] = image["first"] or pfn
        return False

    def verify(self, vmid):
        if not self.is_ready(vmid):
            return True

        def operation():
            for image in self.images[vmid]:
                if not image["mapped"]:
                    continue
                first = image["first"] // BLOCK * BLOCK
                if self.populate_block(vmid, image["gfn"], first):
                    return True
            self.put(("vm", vmid), self.k.VERIFIED)
            return False

        return self.clearly(operation)

    def run(self, vmid, vcpuid):
        if self["vm", vmid] != self.k.VERIFIED or self["vcpu", vmid, vcpuid] != self.k.READY:
            return True
        self.put(("vcpu", vmid, vcpuid), self.k.ACTIVE)
        return False

    def stop(self, vmid, vcpuid):
        if self["vcpu", vmid, vcpuid] != self.k.ACTIVE:
            return True
        self.put(("vcpu", vmid, vcpuid), self.k.READY)
        return False

    def visit(self, vmid, vcpuid, pc, fault, calls, ends):
        """A vCPU runs, makes hypercalls, and stops: by an interrupt, or switching the VM off."""

        def operation():
            if self.run(vmid, vcpuid):
                return True
            if ("started", vmid, vcpuid) not in self.facts:
                self.facts["started", vmid, vcpuid] = True
                if not self.is_in_image(vmid, pc):
                    return True
            elif fault and (self.assign(vmid, *fault) or self.map_vm(vmid, *fault)):
                return True
            for is_grant, gfn, count in calls:
                (self.grant if is_grant else self.revoke)(vmid, gfn, count)
            if ends:
                self.power_off(vmid)
            return self.stop(vmid, vcpuid)

        return self.clearly(operation)

    def is_in_image(self, vmid, gfn):
        return any(image["gfn"] <= gfn < image["gfn"] + image["pages"]
                   for image in self.images[vmid])

    def power_off(self, vmid):
        self.put(("vm", vmid), self.k.POWEROFF)
        return False

    def ioremap(self, vmid, gfn, pfn, count):
        if count and not self.is_ready(vmid):
            return True

        def operation():
            for i in range(count):
                if self["page", pfn + i][0] != self.k.INVALID:
                    continue
                if self.map_vm(vmid, gfn + i, pfn + i):
                    return True
            return False

        return self.clearly(operation)

    # --- Devices ---

    def alloc_bank(self, vmid, cbndx):
        if cbndx >= self.banks:
            return True
        if self["bank", 0, cbndx] == self.k.INVALID:
            self.put(("bank", 0, cbndx), vmid)
            for key in [key for key in self.facts if key[:3] == ("iova", 0, cbndx)]:
                self.put(key, None)
        return False

    def free_bank(self, cbndx):
        owner = self["bank", 0, cbndx]
        if owner == self.k.INVALID:
            return False
        if self["vm", owner] != self.k.POWEROFF:
            return True
        self.put(("bank", 0, cbndx), self.k.INVALID)
        return False

    def is_frozen(self, owner):
        """A VM's devices keep their mappings once it is verified."""
        return owner != self.k.HOSTVISOR and self["vm", owner] == self.k.VERIFIED

    def assign_to_device(self, cbndx, gfn, pfn):
        owner = self["bank", 0, cbndx]
        if owner in (self.k.INVALID, self.k.HOSTVISOR):
            return False
        if self["vm", owner] != self.k.VERIFIED:
            return True
        page_owner, shares, _ = self["page", pfn]
        if page_owner == self.k.HOSTVISOR and shares == 0:
            self.page(pfn, owner=owner, shares=self.k.INVALID, gfn=gfn)
            self.unmap_host(pfn)
            return False
        return page_owner != owner

    def map_device(self, cbndx, gfn, pfn):
        owner = self["bank", 0, cbndx]
        if owner == self.k.INVALID:
            return False
        page_owner, shares, at = self["page", pfn]
        if self.is_frozen(owner) or page_owner != owner or at != gfn:
            return True
        self.put(("iova", 0, cbndx, gfn), pfn)
        if owner == self.k.HOSTVISOR and shares < self.k.EL2_SMMU_CFG_SIZE:
            self.page(pfn, shares=shares + 1)
        return False

    def unmap_device(self, cbndx, gfn):
        owner = self["bank", 0, cbndx]
        if owner == self.k.INVALID:
            return False
        if self.is_frozen(owner):
            return True
        pfn = self["iova", 0, cbndx, gfn]
        if pfn is None:
            return False
        self.put(("iova", 0, cbndx, gfn), None)
        page_owner, shares, _ = self["page", pfn]
        if page_owner == self.k.HOSTVISOR and shares > 0:
            self.page(pfn, shares=shares - 1)
        return False
